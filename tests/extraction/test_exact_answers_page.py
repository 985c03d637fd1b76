"""The page docs/exact_answers.md says what walking the environments gives now."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.proofs
def test_the_page_is_what_its_script_writes() -> None:
    specification = importlib.util.spec_from_file_location("make_exact_answers", DOCS / "make_exact_answers.py")
    assert specification is not None
    assert specification.loader is not None
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    assert script.PAGE.read_text() == script.HEAD + "".join(script.rows())
