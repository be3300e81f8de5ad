"""The Merkle tree of the log.

Binding text: RFC 6962 section 2.1 (leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 || left || right)).
The database appends (migration 0005); this is the same tree for those who check it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass
class Tree:
    """The right edge of a Merkle tree: roots of its complete subtrees, largest first."""

    size: int = 0
    frontier: list[bytes] | None = None

    def append(self, leaf: bytes) -> None:
        roots = self.frontier = self.frontier or []
        roots.append(leaf)
        bits = self.size
        while bits & 1:
            right, left = roots.pop(), roots.pop()
            roots.append(node_hash(left, right))
            bits >>= 1
        self.size += 1

    @property
    def root(self) -> bytes:
        roots = list(self.frontier or [])
        if not roots:
            return EMPTY_ROOT
        right = roots.pop()
        while roots:
            right = node_hash(roots.pop(), right)
        return right
