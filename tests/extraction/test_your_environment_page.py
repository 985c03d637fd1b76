"""The page docs/your_environment.md: its code runs as it stands, and prints what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
PAGE = REPOSITORY / "docs" / "your_environment.md"


def test_the_code_of_the_page_runs_and_prints_what_the_page_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    code = [text for kind, text in blocks if kind == "python"]
    shown = "".join(text for kind, text in blocks if kind == "text")
    assert code[0].startswith("# grid.py")
    assert len(code) == 7
    (tmp_path / "grid.py").write_text(code[0])
    (tmp_path / "page.py").write_text("\n".join(code[1:]))
    run = subprocess.run(
        [sys.executable, "page.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(shown), run.stdout
    assert "v* here" in run.stdout


def test_the_grid_is_as_short_as_the_page_says() -> None:
    grid = re.search(r"```python\n(# grid.py.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert grid is not None
    assert len(grid[1].splitlines()) <= 60
