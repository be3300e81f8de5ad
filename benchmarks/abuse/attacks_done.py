"""What the smallest request makes the hub do (issue 6, section 2): as a stranger, without any token."""

from __future__ import annotations

import base64
import random

from benchmarks.abuse.attacks import asks
from benchmarks.abuse.wire import Attacker, graphql, request

INTROSPECTED = "fields{name args{name type{name}} type{name kind ofType{name kind ofType{name}}}}"
WORDS = ("ar", "ing", "city", "open", "water", "ba", "서울", "데이터", "q", "zz", "the", "of", "digital", "ci", "o")


def _aliases(field: str, count: int = 100) -> str:
    return "{" + " ".join(f"a{each}:{field}" for each in range(count)) + "}"


@asks("introspection-aliases", "668 bytes of introspection with aliases")
def _introspection(one: Attacker) -> bytes:
    types = " ".join(f"a{each}:types{{{INTROSPECTED}}}" for each in range(8))
    return graphql(f"query Q{one.unique()}{{__schema{{{types}}}}}")


@asks("introspection-type", "__type with aliases, each with its possible types and fields")
def _type(one: Attacker) -> bytes:
    inner = "fields{type{name fields{name type{name}}}} possibleTypes{name fields{name}}"
    return graphql(f"query Q{one.unique()}" + _aliases('__type(name:"Practice"){%s}' % inner, 60))


@asks("typename-aliases", "__typename under a thousand aliases")
def _typename(one: Attacker) -> bytes:
    return graphql(f"query Q{one.unique()}" + _aliases("__typename", 1_000))


@asks("contains-aliases", "titleContains under 100 aliases: 7 KB")
def _contains(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    asked = (
        f'a{each}:practices(first:10,filter:{{titleContains:"{dice.choice(WORDS)}{dice.randrange(100)}"}})'
        "{totalCount nodes{slug}}"
        for each in range(100)
    )
    return graphql("{" + " ".join(asked) + "}")


@asks("contains-once", "titleContains once in a request, each time another word")
def _contains_once(one: Attacker) -> bytes:
    dice = random.Random(one.unique())
    word = dice.choice(WORDS) + dice.choice(WORDS)
    return graphql(
        "query($w:String){practices(first:20,filter:{titleContains:$w}){totalCount nodes{slug}}}", {"w": word}
    )


@asks("filter-10kb", "10 KB of text in one filter")
def _long_filter(one: Attacker) -> bytes:
    text = (one.unique() + "a%_\\b ") * 600
    return graphql("query($w:String){practices(first:9,filter:{titleContains:$w}){nodes{slug}}}", {"w": text[:10_240]})


@asks("filter-lists", "lists of 20,000 in every filter")
def _long_lists(one: Attacker) -> bytes:
    many = [f"{one.unique()}{each}" for each in range(20_000)]
    return graphql(
        "query($m:[String!]){practices(first:9,filter:{cities:$m,themes:$m,sdg:$m}){nodes{slug}}}", {"m": many}
    )


@asks("counts-aliases", "totalCount of filtered lists under 100 aliases")
def _counts(one: Attacker) -> bytes:
    field = 'practices(first:1,filter:{themes:["2020.mobility"],publishedAfter:"2020-01-01T00:00:00Z"}){totalCount}'
    return graphql(f"query Q{one.unique()}" + _aliases(field))


@asks("cities-counts", "a hundred cities, each with the count and the newest of its practices, under aliases")
def _cities(one: Attacker) -> bytes:
    inner = "nodes{slug practices(first:10){totalCount nodes{slug title{text}}}}"
    return graphql(f"query Q{one.unique()}" + _aliases(f"cities(first:100){{totalCount {inner}}}", 10))


@asks("orders-aliases", "all orders, ascending and descending, from the end, under aliases")
def _orders(one: Attacker) -> bytes:
    fields = ("PUBLISHED_AT", "UPDATED_AT", "TITLE")
    asked = (
        f"a{each}:practices({('first', 'last')[each % 2]}:100,orderBy:{{field:{fields[each % 3]},"
        f"direction:{('ASC', 'DESC')[each // 2 % 2]}}}){{nodes{{slug}}}}"
        for each in range(100)
    )
    return graphql(f"query Q{one.unique()}{{" + " ".join(asked) + "}")


@asks("nodes-aliases", "nodes of 100 identifiers, under 100 aliases")
def _nodes(one: Attacker) -> bytes:
    ids = [base64.b64encode(f"Practice:{random.randrange(10**12)}".encode()).decode() for _ in range(100)]
    field = "nodes(ids:$i){id ... on Practice{slug title{text} city{slug}} ... on City{slug}}"
    return graphql("query($i:[ID!]!)" + _aliases(field), {"i": ids})


@asks("cursors", "cursors that are none, or are of another list")
def _cursors(one: Attacker) -> bytes:
    cursor = base64.b64encode(f"{one.unique()}\x00[1,2,{{}}]".encode()).decode()
    return graphql("query($a:String){practices(first:100,after:$a){nodes{slug}}}", {"a": cursor * (one.turn % 40 + 1)})


@asks("fragments-deep", "fragments in fragments, each spread twice: two to the power of thirty")
def _fragments(one: Attacker) -> bytes:
    chain = " ".join(f"fragment F{each} on Practice{{...F{each + 1} ...F{each + 1}}}" for each in range(30))
    return graphql(
        f"query Q{one.unique()}{{practices(first:1){{nodes{{...F0}}}}}} {chain} fragment F30 on Practice{{slug}}"
    )


@asks("fragments-many", "500 spreads of one fragment")
def _spreads(one: Attacker) -> bytes:
    spread = " ".join("...F" for _ in range(500))
    shared = "fragment F on Practice{title{text} city{name{text}}}"
    return graphql(f"query Q{one.unique()}{{practices(first:50){{nodes{{{spread}}}}}}} {shared}")


@asks("fields-same", "the same field two thousand times: what compares pairs compares two millions")
def _same(one: Attacker) -> bytes:
    return graphql(f"query Q{one.unique()}{{practices(first:1){{nodes{{" + "slug " * 1900 + "}}}")


@asks("fields-misspelt", "a thousand misspelt fields: who suggests better ones looks through all")
def _misspelt(one: Attacker) -> bytes:
    return graphql(f"query Q{one.unique()}{{" + " ".join(f"practicez{each}" for each in range(1_000)) + "}")


@asks("variables-declared", "a thousand variables, declared and not used")
def _declared(one: Attacker) -> bytes:
    told = " ".join(f"$v{each}:String" for each in range(1_000))
    return graphql(f"query Q{one.unique()}({told}){{__typename}}")


@asks("syntax-broken", "60 KB that is no GraphQL")
def _broken(one: Attacker) -> bytes:
    return graphql(("{" * 30_000) + one.unique() + ("}" * 30_000))


@asks("depth", "a selection as deep as it goes")
def _depth(one: Attacker) -> bytes:
    inner = "slug"
    for _ in range(8):
        inner = f"city{{practices(first:100){{nodes{{{inner}}}}}}}"
    return graphql(f"query Q{one.unique()}{{practices(first:100){{nodes{{{inner}}}}}}}")


@asks("json-deep", "variables nested 100,000 deep")
def _nested(one: Attacker) -> bytes:
    body = b'{"query":"{__typename}","variables":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    return request("POST", "/graphql", body)


@asks("json-numbers", "a number of a million digits")
def _numbers(one: Attacker) -> bytes:
    return request("POST", "/graphql", b'{"query":"{__typename}","variables":{"x":' + b"9" * 1_000_000 + b"}}")


@asks("batch", "a batch of a thousand operations")
def _batch(one: Attacker) -> bytes:
    each = b'{"query":"query Q%s{practices(first:50){totalCount nodes{title{text}}}}"}' % one.unique().encode()
    return request("POST", "/graphql", b"[" + b",".join([each] * 1_000) + b"]")


@asks("mutations-anonymous", "100 aliased mutations by nobody")
def _mutations(one: Attacker) -> bytes:
    field = 'acceptInvitation(input:{secret:"%s",name:"x"}){problems{code}}' % one.unique()
    return graphql("mutation" + _aliases(field))


@asks("names-long", "aliases, names of variables and of operations of 60 characters, each another")
def _names(one: Attacker) -> bytes:
    mark = one.unique().replace("-", "")
    told = " ".join(f"{'n' * 30}{mark}{each}:slug" for each in range(60))
    return graphql(f"query {'q' * 60}{mark}{{practices(first:2){{nodes{{{told}}}}}}}")


@asks("answers-large", "the largest answers that may be asked for, each another, read to the end")
def _large(one: Attacker) -> bytes:
    inner = "slug title{text} summary{text} sections{heading{text} body{text}} city{slug name{text}}"
    return graphql(f"query Q{one.unique()}{{practices(first:100){{nodes{{{inner}}}}}}}")
