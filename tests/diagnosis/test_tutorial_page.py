"""docs/tutorial.md: its snippets print what they promise, and the lines it shows are those of the agents."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tutorial.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:4]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_prints_what_its_comments_say(snippet: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(snippet, "tutorial.md", "exec"), {})
    promised = re.findall(r"^print\(.*\)  # (.*)$", snippet, re.MULTILINE)
    assert promised
    assert printed.getvalue().splitlines() == promised


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.partition(":")[0])
def test_the_faulty_lines_are_in_the_agents_file(section: str) -> None:
    link = re.search(r"\]\((\.\./tests/diagnosis/tutorial/\w+\.py)\)", section)
    assert link is not None
    agent = (DOCS / link[1]).read_text(encoding="utf-8")
    lines = re.search(r"```py\n(.*?)```", section, re.DOTALL)
    assert lines is not None
    assert all(line in agent for line in lines[1].splitlines())


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (DOCS / link).exists()] == []
