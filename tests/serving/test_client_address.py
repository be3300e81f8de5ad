"""Whose request it is: what a stranger writes into headers counts for nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wego.client_address import UNKNOWN, client_of, name_of, networks

PROXIES = networks("10.0.0.0/8, 2001:db8:ffff::/48 192.0.2.1")


def scope(peer: str, *headers: tuple[str, str]) -> dict[str, Any]:
    return {"client": (peer, 1), "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers]}


def test_headers_of_strangers_are_not_believed():
    told = scope("203.0.113.9", ("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.2"))
    assert client_of(told, ()) == "203.0.113.9"
    assert client_of(told, PROXIES) == "203.0.113.9"


def test_loopback_is_a_stranger_unless_it_is_named():
    told = scope("127.0.0.1", ("x-forwarded-for", "198.51.100.1"))
    assert client_of(told, PROXIES) == "127.0.0.1"
    assert client_of(told, networks("127.0.0.1")) == "198.51.100.1"


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
        ([("x-forwarded-for", "1.2.3.4, 198.51.100.7")], "198.51.100.7"),  # the left one is what he says of himself
        ([("x-forwarded-for", "1.2.3.4, 198.51.100.7, 10.1.2.3")], "198.51.100.7"),
        ([("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
        ([("x-forwarded-for", "198.51.100.7:4711")], "198.51.100.7"),
        ([("x-forwarded-for", "[2001:db8:1:2:3::4]:4711")], "2001:db8:1:2::/64"),
        ([("x-forwarded-for", "2001:db8:1:2:3::4")], "2001:db8:1:2::/64"),
        ([("x-forwarded-for", "::ffff:198.51.100.7")], "198.51.100.7"),
        ([("x-forwarded-for", "1.2.3.4, nonsense")], "10.9.9.9"),  # nobody we believe told what stands left of it
        ([("x-forwarded-for", "1.2.3.4, nonsense, 192.0.2.1")], "192.0.2.1"),
        ([("x-forwarded-for", "")], "10.9.9.9"),
        ([("x-forwarded-for", "10.1.1.1, 10.2.2.2")], "10.1.1.1"),  # all are ours: the furthest
        ([("forwarded", "for=198.51.100.7;proto=https")], "198.51.100.7"),
        ([("forwarded", 'for=1.2.3.4, For="[2001:db8:1:2::9]:80";by=10.0.0.1')], "2001:db8:1:2::/64"),
        ([("forwarded", "for=_hidden")], "10.9.9.9"),
        ([("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
        ([], "10.9.9.9"),
    ],
)
def test_a_trusted_proxy_tells_the_client(headers: list[tuple[str, str]], client: str):
    assert client_of(scope("10.9.9.9", *headers), PROXIES) == client


def test_one_network_has_one_name_however_it_is_spelt():
    assert name_of("2001:DB8:0:0:0::1") == name_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert name_of("::ffff:192.0.2.1") == name_of("::ffff:c000:201") == "192.0.2.1"
    assert name_of("fe80::1%eth0") == "fe80::/64"
    assert name_of("") == name_of("unix:") == name_of("x" * 10_000) == UNKNOWN


def test_a_connection_without_an_address_has_a_name():
    assert client_of({"client": None, "headers": []}, PROXIES) == UNKNOWN


def test_a_wrong_network_is_named():
    with pytest.raises(ValueError, match=r"proxy\.example"):
        networks("10.0.0.0/8 proxy.example")


@given(st.text(max_size=300), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_nothing_that_is_sent_breaks_it_or_becomes_a_name(text: str, name: str):
    sent = {"client": ("10.0.0.1", 1), "headers": [(name.encode(), text.encode("utf-8", "surrogatepass"))]}
    found = client_of(sent, PROXIES)
    assert found == name_of(found.partition("/")[0]), "only addresses come out"
