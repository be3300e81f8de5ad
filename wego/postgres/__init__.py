"""The embedded PostgreSQL: one private server per home folder, there while someone needs it.

    from wego import postgres

    with postgres.attach(home) as server:
        connect(server.url)

The first client starts a detached keeper (`keeper.py`), which owns the server and ends it when the last
client has been gone for a grace time. Clients only hold a lock that the kernel drops with them, so nothing
is left behind when any of them is killed. Only Linux x86_64 was run; see `port.py` for other POSIX systems.
Whoever has a server of his own (WEGO_DATABASE_URL) needs none of this.
"""

from .backups import backup, restore
from .client import Attachment, Status, attach, status, stop
from .errors import PostgresError
from .home import is_made
from .providers import Provider, Source, providers
from .roles import as_hub
from .upgrades import Upgrade, upgrade

__all__ = [
    "Attachment",
    "PostgresError",
    "Provider",
    "Source",
    "Status",
    "Upgrade",
    "as_hub",
    "attach",
    "backup",
    "is_made",
    "providers",
    "restore",
    "status",
    "stop",
    "upgrade",
]
