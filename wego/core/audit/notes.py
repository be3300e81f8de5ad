"""Signed notes: what a checkpoint is, and the key that everybody else holds of ours.

Binding texts: C2SP signed-note (a text, an empty line, and signature lines `— name base64(key id || signature)`;
verifier keys `name+hash+base64`; key id = the first four bytes of SHA-256(name || 0x0A || type || public key); type 1
is Ed25519) and C2SP tlog-checkpoint (origin, size and base64 root, a line each).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = b"\x01"
LONGEST_NOTE = 16_384
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """A note, or a verifier key, that is none; the text says why."""


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a key for notes, with the name that it signs for."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `name+hash+base64`."""
        name, _, rest = text.strip().partition("+")
        told, _, encoded = rest.partition("+")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise BadNote("a verifier key is name+hash+base64") from None
        if not _NAME.fullmatch(name) or len(key) != 33 or key[:1] != ED25519:
            raise BadNote("a verifier key is name+hash+base64, of an Ed25519 key")
        found = cls(name, key[1:])
        if found.id.hex() != told:
            raise BadNote("the hash of the verifier key is not that of the key")
        return found

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey) -> VerifierKey:
        return cls(name, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True)
class Note:
    """A checkpoint as it was signed: origin, size, root, and its signatures by key id."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, key id, signature

    def is_signed_by(self, key: VerifierKey) -> bool:
        """Whether this key made one of the signatures, and made it well."""
        public = Ed25519PublicKey.from_public_bytes(key.public)
        for name, key_id, signature in self.signatures:
            if (name, key_id) == (key.name, key.id):
                try:
                    public.verify(signature, self.text.encode())
                except InvalidSignature:
                    return False
                return True
        return False


def write(origin: str, size: int, root: bytes, keys: Iterable[Ed25519PrivateKey]) -> str:
    """A checkpoint as a note that is signed by these keys."""
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    lines = []
    for key in keys:
        signature = base64.b64encode(VerifierKey.of(origin, key).id + key.sign(body.encode())).decode()
        lines.append(f"— {origin} {signature}\n")
    return body + "\n" + "".join(lines)


def read(note: str) -> Note:
    """Read a note; BadNote says why it is none."""
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise BadNote("it is no text, or too long")
    body, blank, rest = note.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) < 3 or not _SIZE.fullmatch(lines[1]):
        raise BadNote("it has no origin, size and root")
    root = _decoded(lines[2])
    if len(root) != 32 or not lines[0]:
        raise BadNote("its root is not 32 bytes")
    signatures = tuple(_signature(line) for line in rest.split("\n") if line)
    if not signatures:
        raise BadNote("nobody signed it")
    return Note(body + "\n", lines[0], int(lines[1]), root, signatures)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise BadNote("a signature line is torn")
    raw = _decoded(parts[2])
    if len(raw) < 5:
        raise BadNote("a signature is too short")
    return parts[1], raw[:4], raw[4:]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("it is no base64") from None
