"""What of a request stays: padding, headers, documents, statements, keys of caches (issue 6, section 1)."""

from __future__ import annotations

import random
from urllib.parse import quote, urlencode

from benchmarks.abuse.attacks import asks
from benchmarks.abuse.wire import Attacker, graphql, request

MB = 2**20
PADDING = "x" * (4 * MB)
WHITE = " " * (4 * MB)
COMMENT = "#" * (8 * MB - 4096)
LANGUAGE = "en," * (2 * MB // 3)
LIST = "{practices(first:3){nodes{slug}}}"
FIELDS = ("id", "slug", "status", "stage", "publishedAt", "updatedAt", "title{text}", "summary{text}", "city{slug}",
          "city{name{text}}", "themes{code}", "city{country{code}}", "city{region}", "title{locale}")  # fmt: skip
TAGS = ("en", "ko", "ar", "fr", "es", "pt", "ru", "zh", "ja", "de", "id", "tr", "vi", "th", "hi", "sw")
FORM = "application/x-www-form-urlencoded"


# ── padding ───────────────────────────────────────────────────────────────────────────────────────────────────────


@asks("padding-variables", "4 MB of padding in variables that no operation declares", attackers=4)
def _variables(one: Attacker) -> bytes:
    return graphql("{__typename}", {"pad": PADDING + one.unique()})


@asks("padding-extensions", "4 MB of padding in extensions", attackers=4)
def _extensions(one: Attacker) -> bytes:
    return graphql("{__typename}", extensions={"pad": PADDING + one.unique()})


@asks("padding-members", "4 MB in a member of the request that means nothing", attackers=4)
def _members(one: Attacker) -> bytes:
    return graphql("{__typename}", pad=PADDING + one.unique())


@asks("padding-white", "4 MB of white space around a small request", attackers=4)
def _white(one: Attacker) -> bytes:
    body = WHITE.encode() + b'{"query":"{__typename}","variables":{"u":"%s"}}' % one.unique().encode()
    return request("POST", "/graphql", body)


@asks("padding-operation-name", "an operation name of 1 MB", attackers=4)
def _operation_name(one: Attacker) -> bytes:
    return graphql("query A{__typename} query B{__typename}", operationName="A" * MB + one.unique())


@asks("padding-many-members", "variables of 50,000 members", attackers=4)
def _many_members(one: Attacker) -> bytes:
    mark = one.unique()
    return graphql("{__typename}", {f"v{mark}{each}": each for each in range(50_000)})


@asks("padding-small", "variables of 60 KB, each request another: below any limit of one, too much in sum")
def _small(one: Attacker) -> bytes:
    return graphql("{__typename}", {"pad": PADDING[:60_000] + one.unique()})


# ── documents ─────────────────────────────────────────────────────────────────────────────────────────────────────


@asks("comment-8mb", "documents with a comment of 8 MB", attackers=4)
def _comment(one: Attacker) -> bytes:
    return graphql(f"#{COMMENT}{one.unique()}\n{{__typename}}")


@asks("comment-60kb", "documents with a comment of 60 KB, each another")
def _small_comment(one: Attacker) -> bytes:
    return graphql(f"#{COMMENT[:60_000]}{one.unique()}\n{LIST}")


@asks("string-60kb", "an argument of 60 KB in the text of the document")
def _long_string(one: Attacker) -> bytes:
    return graphql('{city(slug:"%s"){slug}}' % (PADDING[:60_000] + one.unique()))


@asks("documents-distinct", "small documents, each of another shape: a prepared statement each")
def _distinct(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    chosen = dice.sample(FIELDS, dice.randint(3, 9))
    told = " ".join(f"a{dice.randrange(10**6)}:{field}" for field in chosen)
    return graphql("{practices(first:%d){nodes{%s}}}" % (dice.randint(1, 30), told))


@asks("documents-wide", "documents near the limits, each another: large prepared statements")
def _wide(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    told = " ".join(f"a{dice.randrange(10**6)}:{dice.choice(FIELDS)}" for _ in range(90))
    return graphql("{practices(first:3){nodes{%s}}}" % told)


@asks("filters-distinct", "one document, and each of the shapes that a filter can take")
def _filters(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    every = {
        "city": "seoul", "cities": ["seoul", "busan"][: dice.randint(1, 2)], "country": ["KR"], "region": ["EUROPE"],
        "themes": ["2020.mobility"], "sdg": ["11"], "stage": ["PILOT"], "locale": dice.choice(TAGS),
        "titleContains": "city", "publishedAfter": "2020-01-01T00:00:00Z", "updatedAfter": "2020-01-01T00:00:00Z",
        "publishedBefore": "2030-01-01T00:00:00Z",
    }  # fmt: skip
    chosen = {name: every[name] for name in dice.sample(sorted(every), dice.randint(1, 9))}
    document = "query($f:PracticeFilter){practices(first:%d,filter:$f){nodes{slug}}}" % dice.randint(1, 100)
    return graphql(document, {"f": chosen})


@asks("locales-distinct", "lists of languages, each another")
def _locales(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    tags = [f"{tag}-{dice.choice('ABCDEFGHIJ')}{dice.choice('ABCDEFGHIJ')}" for tag in dice.sample(TAGS, 12)]
    return graphql("query($l:[LanguageTag!]){practices(first:3){nodes{title(locales:$l){text}}}}", {"l": tags})


# ── headers ───────────────────────────────────────────────────────────────────────────────────────────────────────


@asks("language-2mb", "refused requests with an Accept-Language of 2 MB", attackers=4)
def _language(one: Attacker) -> bytes:
    return graphql("{nope}", headers={"accept-language": LANGUAGE + one.unique()})


@asks("language-distinct", "an Accept-Language of 4 KB, each another, with a question that is refused")
def _languages(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    tags = ",".join(f"{dice.choice(TAGS)}-{dice.randrange(10**6)};q=0.{dice.randrange(9)}" for _ in range(200))
    return graphql("{nope}", headers={"accept-language": tags})


@asks("language-distinct-read", "a short Accept-Language, each another, with a question that is answered")
def _short_languages(one: Attacker) -> bytes:
    return graphql(LIST, headers={"accept-language": f"en-{one.unique()[-8:]},ko;q=0.5"})


@asks("accept-distinct", "an Accept of 1 KB, each another")
def _accept(one: Attacker) -> bytes:
    kinds = ",".join(f"application/x-{one.unique()};q=0.{each % 9}" for each in range(30))
    return graphql(LIST, headers={"accept": f"{kinds},application/json"})


@asks("content-type-distinct", "a Content-Type with parameters, each another")
def _content_type(one: Attacker) -> bytes:
    body = b'{"query":"{__typename}"}'
    return request("POST", "/graphql", body, kind=f"application/json; x={PADDING[:4000]}{one.unique()}")


@asks("headers-many", "2,000 headers", attackers=4)
def _headers(one: Attacker) -> bytes:
    return graphql(LIST, headers={f"x-{each}-{one.number}": "y" for each in range(2_000)})


@asks("header-1mb", "one header of 1 MB", attackers=4)
def _header(one: Attacker) -> bytes:
    return graphql(LIST, headers={"cookie": PADDING[:MB] + one.unique()})


@asks("address-1mb", "an address of 1 MB", attackers=4)
def _address(one: Attacker) -> bytes:
    return request("GET", "/graphql?query=%7B__typename%7D&pad=" + PADDING[:MB] + one.unique())


@asks("authorization-distinct", "an Authorization that is none, each another")
def _authorization(one: Attacker) -> bytes:
    scheme = ("DPoP", "Bearer", "Basic", "dpop")[one.turn % 4]
    return graphql(LIST, headers={"authorization": f"{scheme} ey{one.unique()}.{PADDING[:2000]}.x", "dpop": "a.b.c"})


@asks("forwarded-distinct", "an X-Forwarded-For, each another: who counts by it counts for ever")
def _forwarded(one: Attacker) -> bytes:
    one.unique()
    address = f"{one.turn % 223 + 1}.{one.number}.{one.turn // 223 % 250}.9"
    return graphql("{nope}", headers={"x-forwarded-for": address, "forwarded": f"for={address}"})


# ── addresses and methods ─────────────────────────────────────────────────────────────────────────────────────────


@asks("get-distinct", "queries in the address, each another")
def _get(one: Attacker) -> bytes:
    given = {"query": LIST, "variables": '{"u":"%s"}' % one.unique()}
    return request("GET", "/graphql?" + urlencode(given))


@asks("head-flood", "HEAD of everything")
def _head(one: Attacker) -> bytes:
    paths = ("/en/", f"/graphql?query={quote(LIST)}&u={one.unique()}", "/schema.graphql", "/health/live")
    return request("HEAD", paths[one.turn % 4])


@asks("options-flood", "OPTIONS with an Origin, each another")
def _options(one: Attacker) -> bytes:
    headers = {"origin": f"https://{one.unique()}.example", "access-control-request-method": "POST"}
    return request("OPTIONS", "/graphql", headers=headers)


@asks("paths-distinct", "paths that are not there, each another, by methods that nobody knows")
def _paths(one: Attacker) -> bytes:
    method = ("GET", "PUT", "DELETE", "PATCH", "PROPFIND")[one.turn % 5]
    return request(method, f"/{one.unique()}/{PADDING[:500]}")


@asks("page-distinct", "the first page in languages that nobody has")
def _page(one: Attacker) -> bytes:
    headers = {"accept-language": f"en-{one.unique()[-8:]}"}
    return request("GET", f"/en/practices?q={one.unique()}", headers=headers)


@asks("schema-flood", "the schema's text, again and again")
def _schema(one: Attacker) -> bytes:
    return request("GET", f"/schema.graphql?u={one.unique()}")


# ── the token endpoint ────────────────────────────────────────────────────────────────────────────────────────────


@asks("token-garbage", "assertions that are none, at the token endpoint")
def _garbage(one: Attacker) -> bytes:
    given = {
        "grant_type": "client_credentials", "client_assertion": f"ey{one.unique()}.{PADDING[:8000]}.x",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    return request("POST", "/oauth/token", urlencode(given).encode(), {"dpop": "a.b.c"}, kind=FORM)


@asks("token-fields", "forms of 30 KB and many fields, at every endpoint of the authorization server")
def _fields(one: Attacker) -> bytes:
    given = {f"{one.unique()}": PADDING[:1200] for _ in range(24)}
    path = ("/oauth/token", "/oauth/revoke", "/oauth/introspect")[one.turn % 3]
    return request("POST", path, urlencode(given).encode(), kind=FORM)
