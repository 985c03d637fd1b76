"""The README tells the truth: its tables are those of the registries, and its examples run and print what it says."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def make_readme() -> object:
    spec = importlib.util.spec_from_file_location("make_readme", REPOSITORY / "docs" / "make_readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_up_to_date() -> None:
    assert make_readme().with_tables(README) == README, "run python docs/make_readme.py"


def test_a_readme_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README\.md must have a place for the table of agents"):
        make_readme().with_tables(README.replace("<!-- end of agents -->", ""))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_and_prints_what_its_comments_say(example: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, "README.md", "exec"), {})
    promised = re.findall(r"^print\(.*\)  # (-?[0-9.]*[0-9])", example, re.MULTILINE)
    lines = printed.getvalue().splitlines()
    assert len(lines) >= len(promised)
    for line, number in zip(lines, promised):
        assert line.startswith(number)


def write_the_readmes_dqn(folder: Path) -> None:
    """Write my_dqn.py as the README's first command does, a `sed` that takes a few words out of a file."""
    words, file = re.search(r"\$ sed 's/(.*?)//' (\S+) > my_dqn.py", README).groups()
    code = (REPOSITORY / file).read_text()
    assert code.count(words) == 1
    (folder / "my_dqn.py").write_text(code.replace(words, ""))


def test_the_dqn_without_a_mask_scores_what_the_readme_says(tmp_path: Path) -> None:
    write_the_readmes_dqn(tmp_path)
    done = subprocess.run(
        [sys.executable, "my_dqn.py"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=200
    )
    assert f"$ python my_dqn.py\n{done.stdout}" in README


def test_links_and_pictures_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README)
    assert targets
    missing = [target for target in targets if "://" not in target and not (REPOSITORY / target).exists()]
    assert not missing
