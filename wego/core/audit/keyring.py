"""The key of the log's checkpoints: one private file here, and its public half, which others keep.

`<home>/keys/audit.key` holds the 32 bytes of the private key, mode 0600; `<home>/audit/key.pub` the verifier keys
(C2SP signed-note), the oldest first. The proof is worth something when the verifier key lies elsewhere as well: it is
printed at the first start, and handed to `wego audit verify` by `--key` or WEGO_AUDIT_KEY.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wego.core.audit.notes import BadNote, VerifierKey
from wego.core.files import append_line, write_private
from wego.core.settings import Settings


class KeyProblem(Exception):
    """The key of the checkpoints is missing or damaged; the text names the file and says what helps."""


@dataclass(frozen=True)
class Signer:
    """Who signs checkpoints: the name in the notes, and the key."""

    origin: str
    key: Ed25519PrivateKey

    @property
    def public(self) -> VerifierKey:
        return VerifierKey.of(self.origin, self.key)


def key_file(home: Path) -> Path:
    return home / "keys" / "audit.key"


def public_file(home: Path) -> Path:
    return home / "audit" / "key.pub"


def signer(settings: Settings) -> Signer:
    """The signer of this hub. The first call makes the key; later ones never do, for a log that changes its key
    without a word proves nothing."""
    home = settings.home
    known, damaged = public_keys(home)
    key = read_key(home)
    if key is None:
        if known or damaged or _has_signed(home):
            raise KeyProblem(f"{key_file(home)} is missing: restore it, or run `wego keys replace --audit`")
        key = _first_key(home)
    origin = known[-1].name if known else settings.issuer.split("://", 1)[1] + "/audit"
    found = Signer(origin, key)
    if found.public not in known:
        append_line(public_file(home), str(found.public).encode())
    return found


def _first_key(home: Path) -> Ed25519PrivateKey:
    """Make the key; of two processes that start at once, both go on with that of the first."""
    made = Ed25519PrivateKey.generate()
    with contextlib.suppress(FileExistsError):
        write_private(key_file(home), raw(made), new=True)
        return made
    return read_key(home) or made


def _has_signed(home: Path) -> bool:
    file = home / "audit" / "checkpoints.jsonl"
    return file.is_file() and file.stat().st_size > 0


def read_key(home: Path) -> Ed25519PrivateKey | None:
    """The private key; None where there is no file. KeyProblem when it cannot be read, or holds no key."""
    path = key_file(home)
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise KeyProblem(f"{path} cannot be read: {problem.strerror}") from None
    if len(content) != 32:
        what = "is empty" if not content else f"holds {len(content)} bytes instead of 32"
        raise KeyProblem(f"{path} {what}: restore it, or run `wego keys replace --audit`")
    return Ed25519PrivateKey.from_private_bytes(content)


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_keys(home: Path) -> tuple[list[VerifierKey], list[str]]:
    """The verifier keys that this machine knows of itself, the oldest first, and what is wrong with their file."""
    path = public_file(home)
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return [], []
    except (OSError, UnicodeDecodeError) as problem:
        return [], [f"{path} cannot be read: {type(problem).__name__}"]
    return _parsed(lines, str(path))


def given_keys(told: Iterable[str]) -> tuple[list[VerifierKey], list[str]]:
    """The keys that an operator names: each a verifier key, several of them, or a file that holds some."""
    lines: list[str] = []
    wrong: list[str] = []
    for each in told:
        path = Path(each)
        if "+" in each or not each.strip():
            lines += each.split()
            continue
        try:
            lines += path.read_text("utf-8").split()
        except (OSError, UnicodeDecodeError) as problem:
            wrong.append(f"{path} is no file of verifier keys: {type(problem).__name__}")
    keys, damaged = _parsed(lines, "the key that was given")
    return keys, wrong + damaged


def _parsed(lines: Iterable[str], where: str) -> tuple[list[VerifierKey], list[str]]:
    keys, wrong = [], []
    for line in lines:
        try:
            if line.strip():
                keys.append(VerifierKey.parse(line))
        except BadNote as problem:
            wrong.append(f"{where}: {problem}")
    return keys, wrong
