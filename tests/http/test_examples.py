"""The examples for developers of cities run as they are written, against a hub that is really served; and what the
README shows of them is what stands in the files."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from http_make import Seeded
from http_node import installed, run
from http_server import served

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples"
QUERY = '{ viewer { kind scopes } city(slug: "seoul") { slug name(locales: ["ko"]) { text } } }'
ANSWER = {
    "viewer": {"kind": "PROGRAM", "scopes": ["graphql:query"]},
    "city": {"slug": "seoul", "name": {"text": "서울"}},
}
# Each block of the README with the file that it is taken from in a comment before it.
SHOWN = re.compile(r"<!-- (tests/examples/\S+) -->\n```\w+\n(.*?)\n```", re.DOTALL)


async def answer_of(seeded: Seeded, folder: Path, *command: str, within: Path | None = None) -> None:
    """Run an example with the client file of a city's program, and look at what it prints."""
    kept = json.loads((seeded.home / "demo" / "clients" / "seoul.json").read_text())
    with seeded.clone() as url:
        async with served(seeded, url) as address:
            file = folder / "seoul.json"
            file.write_text(json.dumps({**kept, "issuer": address, "resource": f"{address}/graphql"}))
            code, out, err = await run(*command, str(file), QUERY, folder=within or folder, seconds=60)
    assert code == 0, err
    assert json.loads(out) == {"data": ANSWER}, out


@pytest.mark.parametrize("name", ["with_library.py", "with_httpx.py"])
async def test_the_examples_in_python_get_a_token_and_an_answer(seeded: Seeded, tmp_path: Path, name: str) -> None:
    await answer_of(seeded, tmp_path, sys.executable, str(EXAMPLES / name))


async def test_the_example_with_curl_gets_a_token_and_an_answer(seeded: Seeded, tmp_path: Path) -> None:
    absent = [tool for tool in ("bash", "curl", "openssl", "jq") if not shutil.which(tool)]
    if absent:
        pytest.skip(f"the example with curl needs {', '.join(absent)}, which are not on this machine")
    assert os.access(EXAMPLES / "with_curl.sh", os.X_OK)
    for _ in range(3):  # numbers of a signature have fewer digits now and then
        await answer_of(seeded, tmp_path, str(EXAMPLES / "with_curl.sh"))


async def test_the_example_with_oauth4webapi_is_typed_and_gets_an_answer(seeded: Seeded, tmp_path: Path) -> None:
    folder = await installed(EXAMPLES, "examples", ("tsconfig.json", "with_oauth4webapi.ts"))
    code, out, err = await run("npx", "--no-install", "tsc", folder=folder, seconds=120)
    assert code == 0, out + err
    await answer_of(seeded, tmp_path, "node", "with_oauth4webapi.js", within=folder)


def test_the_readme_shows_what_stands_in_the_files() -> None:
    shown = SHOWN.findall((ROOT / "README.md").read_text("utf-8"))
    assert {Path(name).name for name, _ in shown} >= {
        "with_library.py", "with_httpx.py", "with_oauth4webapi.ts", "with_curl.sh",
    }  # fmt: skip
    for name, excerpt in shown:
        assert excerpt in (ROOT / name).read_text("utf-8"), f"README.md shows another text than {name}"
