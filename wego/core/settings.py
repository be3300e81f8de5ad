"""The one frozen set of settings; every knob is an environment variable named `WEGO_<NAME>`.

Nothing reads the environment but `from_environment`; the result is handed to `create_app`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

PORT_FILE = "port"  # in the home folder: where this hub was last served


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the hub keeps its data, where it listens, and how much it lets one request cost."""

    home: Path = field(default=Path(".wego"), metadata={"help": "folder of the data, keys and database"})
    database_url: str = field(default="", metadata={"help": "a PostgreSQL of your own instead of the embedded one"})
    migration_url: str = field(
        default="", metadata={"help": "the same PostgreSQL as its owner, so that the hub need not own its tables"}
    )
    pg_bin: str = field(default="", metadata={"help": "folder with the binaries of the embedded PostgreSQL"})
    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8000, metadata={"help": "port to listen on; PORT is understood as well"})
    public_url: str = field(default="", metadata={"help": "address under which the world reaches this hub"})
    workers: int = field(default=1, metadata={"help": "server processes"})
    pool_size: int = field(
        default=0,
        metadata={"help": "database connections of one process for reading; 0: two for each processor and one more"},
    )
    server_timing: bool = field(default=False, metadata={"help": "tell time and statements in Server-Timing"})
    jobs: bool = field(default=True, metadata={"help": "run the job worker inside the first server process"})
    cache_mb: int = field(default=8, metadata={"help": "memory for public answers, in MiB; 0 switches it off"})
    max_body_kb: int = field(default=8192, metadata={"help": "largest accepted request body, in KiB"})
    max_cost: int = field(default=20_000, metadata={"help": "most objects that one operation may ask for"})
    max_depth: int = field(default=16, metadata={"help": "deepest selection"})
    max_aliases: int = field(default=100, metadata={"help": "most fields of one object, aliases included"})
    max_tokens: int = field(default=4_000, metadata={"help": "longest document, in lexical tokens"})
    max_page: int = field(default=100, metadata={"help": "largest page of a connection"})
    audit_key: str = field(
        default="",
        metadata={"help": "the log's verifier keys as you keep them, or a file with them, for `wego audit verify`"},
    )
    token_seconds: int = field(default=300, metadata={"help": "life of an access token"})
    requests_per_minute: int = field(
        default=60_000, metadata={"help": "most requests of one client in a minute; 0 switches all rates off"}
    )
    cost_per_minute: int = field(
        default=3_000_000, metadata={"help": "most objects that one client may ask for in a minute"}
    )
    mutations_per_minute: int = field(default=600, metadata={"help": "most mutations of one client in a minute"})
    tokens_per_minute: int = field(
        default=600, metadata={"help": "most tokens that one program may get, end or ask about in a minute"}
    )
    guesses_per_minute: int = field(
        default=60, metadata={"help": "most bad tokens, or tries to accept an invitation, of one address in a minute"}
    )

    trusted_proxies: str = field(
        default="", metadata={"help": "addresses or networks of proxies whose X-Forwarded-For or Forwarded is believed"}
    )
    max_connections: int = field(default=1_000, metadata={"help": "most connections of one server process"})
    max_connections_per_address: int = field(
        default=100, metadata={"help": "most connections of one address (IPv6: /64) to one server process"}
    )
    metrics_token: str = field(
        default="", metadata={"help": "the bearer token that opens /metrics; without one there is no /metrics"}
    )
    min_free_mb: int = field(
        default=200, metadata={"help": "free disk space, in MiB, below which /health/ready says no"}
    )
    start_seconds: int = field(default=60, metadata={"help": "how long a start waits for a database that is away"})

    @property
    def connections(self) -> int:
        """How many connections one process reads with. Two for each processor and one more, as PostgreSQL's own wiki
        counts ("Number Of Database Connections"): ten on two processors answered 7 to 19 % less."""
        return self.pool_size or 2 * (os.cpu_count() or 2) + 1

    @property
    def issuer(self) -> str:
        """The issuer identifier of the authorization server (RFC 8414): the public address without a slash."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def resource(self) -> str:
        """The resource identifier of the GraphQL endpoint (RFC 8707, RFC 9728)."""
        return f"{self.issuer}/graphql"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read `WEGO_<NAME>` for each setting; a value that cannot be read raises ValueError and names the variable."""
    env = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for knob in fields(Settings):
        text = env.get(f"WEGO_{knob.name.upper()}", env.get("PORT") if knob.name == "port" else None)
        if text is not None:
            values[knob.name] = _read(knob.name, text, type(knob.default))
    return Settings(**values)  # type: ignore[arg-type]  # each value was read as the type of its default


def _read(name: str, text: str, kind: type) -> object:
    if issubclass(kind, Path):
        return Path(text).expanduser()
    if kind is bool:
        return text.strip().lower() in {"1", "true", "yes", "on"}
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"WEGO_{name.upper()} must be a whole number, not {text!r}") from None
    return text
