"""Who sent a request: the address that limits and counts are kept by.

Binding texts: RFC 7239 section 5.2 and 7.4 (Forwarded), RFC 4291 section 2.5.5.2 (IPv4-mapped addresses). What a client
writes into `X-Forwarded-For` or `Forwarded` is believed only when the connection comes from a proxy that the operator
named (`WEGO_TRUSTED_PROXIES`), and then only from the right: each proxy appends the address that it saw, so the first
one from the right that is no proxy of ours is the client, and everything left of it is only what he says of himself.

Somebody who has an IPv6 network has 2^64 addresses: he is counted by his /64.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from wego.core.cache import remembered

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

LONGEST = 2_000  # characters of such a header; a chain of proxies is short
MOST_STEPS = 20
UNKNOWN = "unknown"  # a connection without an address, such as one over a UNIX socket
NETWORK = 64  # bits of an IPv6 address that are counted together


def networks(text: str) -> Networks:
    """Addresses and networks, separated by commas or white space; raises ValueError and names the wrong one."""
    found = []
    for part in text.replace(",", " ").split():
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            raise ValueError(f"{part!r} is neither an address nor a network") from None
    return tuple(found)


@remembered(512 * 1024)
def name_of(host: str) -> str:
    """An address as a key: one spelling, IPv4 as IPv4, IPv6 by its /64. What is no address is `unknown`."""
    address = _read(host) if len(host) <= 64 else None
    return UNKNOWN if address is None else _name(address)


def client_of(scope: Any, trusted: Networks) -> str:
    """The key of the client of a request."""
    peer = scope.get("client")
    host = peer[0] if peer else ""
    if not trusted or not is_trusted(host, trusted):
        return name_of(host)
    seen = _read(host)
    for told in _chain(scope["headers"]):
        address = _read(told)
        if address is None:  # garbage, or hidden: what stands left of it was told by nobody whom we believe
            break
        seen = address
        if not _within(address, trusted):
            break
    return UNKNOWN if seen is None else _name(seen)


def is_trusted(host: str, trusted: Networks) -> bool:
    """Whether an address is that of a proxy that the operator named."""
    address = _read(host)
    return address is not None and _within(address, trusted)


def _within(address: Address, trusted: Networks) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


def _name(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> (128 - NETWORK) << (128 - NETWORK), NETWORK)))
    return str(address)


def _read(host: str) -> Address | None:
    """An address from its text, also with a port and in brackets; None when it is none."""
    text = host.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _chain(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The addresses that were told, the newest first. `Forwarded` counts only where there is no `X-Forwarded-For`."""
    found: dict[bytes, list[str]] = {b"x-forwarded-for": [], b"forwarded": []}
    for name, value in headers:
        if name in found:
            found[name] += value[-LONGEST:].decode("latin-1").split(",")
    if found[b"x-forwarded-for"]:
        return found[b"x-forwarded-for"][::-1][:MOST_STEPS]
    return [_for(element) for element in found[b"forwarded"][::-1][:MOST_STEPS]]


def _for(element: str) -> str:
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value
    return ""
