"""Draw docs/report.png, a part of a report's page as a browser shows it: `python docs/make_report_picture.py`.

It takes 15 seconds, and needs the extra `baselines`, playwright, and Chromium or Chrome. The numbers are the same in
every run; the text uses the installed fonts.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

PICTURE = Path(__file__).parent / "report.png"

WORLDS = ("LineWalk:size=15", "FourRooms", "SubtaskGrid")
AGENTS = ("Random", "Optimal", "QLearning:preset=FourRooms", "Sarsa:preset=FourRooms")
RUNS, STEPS, SEED = 10, 12_000, 0

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# What the picture shows of the page: learning curves side by side, and below them the value maps of one world.
STYLE = """
    .top, .bar, .options, .skip, footer, section > p { display: none }
    section:not(#curves):not(#values), .world-values:not([data-world="FourRooms"]) { display: none }
    section { padding: 8px 20px 0 !important; margin: 0; border: 0 }
    .wide { max-width: 1200px; padding: 0 0 8px }
    .panels { grid-template-columns: 1fr 1fr 1fr }
    .panel .drawing { height: 250px }
    .world-values { margin: 0 }
    .maps { grid-template-columns: repeat(4, 1fr); min-height: 0 }
    .maps figcaption { min-height: 3em }
"""


def make_report(folder: Path) -> Path:
    """Run a small comparison in a folder; returns its page."""
    from baselines.comparison.comparison import Comparison
    from baselines.comparison.running import compare
    from baselines.report.contents import Contents
    from baselines.report.writing import PAGE, write_report

    results = compare(Comparison(worlds=WORLDS, agents=AGENTS, runs=RUNS, steps=STEPS, seed=SEED), folder)
    write_report(Contents(results), folder)
    return folder / PAGE


def photographed(page_file: Path) -> bytes:
    """The learning curves of a page with the value maps below them, as a browser draws them: a PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.add_style_tag(content=STYLE)
        page.evaluate("dispatchEvent(new Event('resize'))")  # what is drawn already takes the room that it has now
        for drawing in page.locator("#curves .drawing").all():
            drawing.locator("path.js-line").first.wait_for(state="attached")
        page.locator("#values canvas:visible").nth(len(AGENTS) - 1).wait_for()
        page.wait_for_timeout(1_000)  # figures take their room a while after they are told to
        picture = page.locator("main").screenshot()
        browser.close()
    return picture


def with_few_colours(png: bytes) -> bytes:
    """The same picture with a palette, in a third of the room."""
    from PIL import Image

    content = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(255, kmeans=1, dither=Image.Dither.NONE)
    few.save(content, format="png", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_bytes(with_few_colours(photographed(make_report(Path(folder)))))
