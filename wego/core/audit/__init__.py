"""What happened, who did it and when: an append-only log that proves itself.

    await audit.record(
        db, actor, Event.MEMBER_SUSPENDED, Subject.CITY, city.id, words={"reason": reason}, place=city.id,
        under=Permission.MEMBERSHIP_SUSPEND, decided={"status": ("full", "suspended")},
    )

Binding texts: RFC 6962 section 2 (Merkle tree), RFC 8785 (canonical JSON), C2SP tlog-checkpoint and signed-note,
federation.md 5.7. Entries are gathered while a unit of work runs and appended at its edge, last of all: the log's
lock is held for one statement. Facts are ids, codes and numbers; words lie beside the log and can be erased.
"""

from wego.core.audit.entries import Event, Happening, Subject
from wego.core.audit.log import append, record, record_all, rights_changed
from wego.core.audit.proof import Fault, Verdict, verify
from wego.core.audit.tree import EMPTY_ROOT, Tree, leaf_hash, node_hash

__all__ = [
    "EMPTY_ROOT",
    "Event",
    "Fault",
    "Happening",
    "Subject",
    "Tree",
    "Verdict",
    "append",
    "leaf_hash",
    "node_hash",
    "record",
    "record_all",
    "rights_changed",
    "verify",
]
