"""What `wego demo` prints is run as it stands, in another folder, by somebody whose environment knows nothing of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from e2e_make import WEGO, Demo, wait_until


def lines_of(told: str) -> dict[str, str]:
    """The commands by what is said of them: they are indented below it, and go on after a backslash."""
    found: dict[str, str] = {}
    above = ""
    for line in told.partition("The hub runs at")[2].replace("\\\n", " ").splitlines():
        if line.startswith("  "):
            found[above] = line.strip()
        else:
            above = line.rstrip(":")
    return found


def test_what_the_demonstration_prints_runs_in_a_second_terminal(tmp_path: Path):
    demo = Demo(tmp_path / "a folder with 'quotes' & spaces")
    out = tmp_path / "told"
    with out.open("wb") as told:
        demo.process = subprocess.Popen([WEGO, "demo"], env=demo.environment, stdout=told, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "Everything else" in out.read_text() and demo.status("/health/ready") == 200, 120, "it")
        commands = lines_of(out.read_text())
        assert commands.pop("Look") == demo.url
        clean = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
        answers = {}
        for words, command in commands.items():
            done = subprocess.run(
                ["/bin/sh", "-c", command], cwd="/", env=clean, capture_output=True, text=True, timeout=90, check=False
            )
            assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-500:])
            answers[words] = done.stdout
    finally:
        demo.end()
    assert '"text":' in answers["Ask without a token"]
    assert '"totalCount"' in answers["Ask as a program"]
    assert '"status"' in answers["Ask as an officer"]
    assert "type Query" in answers["The schema"]
    assert answers["The log, proved"]
    assert "Usage" in answers["Everything else"]
