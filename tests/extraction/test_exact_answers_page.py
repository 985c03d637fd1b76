"""The page docs/exact_answers.md says what walking the environments gives now."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("make_exact_answers", DOCS / "make_exact_answers.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_has_the_three_parts_of_its_script(script: ModuleType) -> None:
    page = script.PAGE.read_text()
    assert page.startswith(script.HEAD)
    assert page.count(script.BLACKJACK_HEAD) == page.count(script.MINIGRID_HEAD) == 1
    for name, _ in script.ENVIRONMENTS:
        assert f"| {name} |" in page
    for level in script.LEVELS:
        assert f"| MiniGrid-{level}-v0 |" in page


@pytest.mark.proofs
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("part", ["rows", "blackjack_rows", "minigrid_rows"])
def test_the_lines_are_what_the_script_writes(part: str, script: ModuleType) -> None:
    if part == "minigrid_rows":
        pytest.importorskip("minigrid")
    lines = list(getattr(script, part)())
    assert "".join(lines) in script.PAGE.read_text()
