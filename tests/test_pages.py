"""The written pages and pictures: up to date, and refused when a docstring leaves something out."""

import importlib.util
import inspect
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from rl_envs.exact import truth
from rl_envs.registry import WORLDS, world_id

DOCS = Path(__file__).parents[1] / "docs"


def script(name):
    """One of the scripts in docs, as a module."""
    specification = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = sys.modules[specification.name] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


make_pages = script("make_pages")
HEADINGS = [
    "Description",
    "Action Space",
    "Observation Space",
    "Starting State",
    "Rewards",
    "Episode End",
    "Arguments",
    "Exact Solution",
    "References",
    "Version History",
]


@pytest.fixture(scope="module")
def pages():
    return make_pages.pages()


def test_the_pages_are_up_to_date(pages):
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text]
    assert stale == [], "run `make docs`"
    assert set(make_pages.PAGES.glob("*.md")) == set(pages)


def test_every_world_has_a_page_with_gymnasiums_headings(pages):
    for name in WORLDS:
        text = pages[make_pages.PAGES / f"{name}.md"]
        assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == HEADINGS
        assert world_id(name) in text
        assert f"({name}.md)" in pages[make_pages.PAGES / "README.md"]


def test_links_and_pictures_lead_somewhere(pages):
    for path, text in pages.items():
        for target in re.findall(r"(?<!\\)\]\(([^)#]+)\)", text):
            assert target.startswith("http") or (path.parent / target).exists(), target


def test_the_numbers_on_a_page_are_the_exact_ones(pages):
    text = pages[make_pages.PAGES / "LineWalk.md"]
    exact = truth(world_id("LineWalk"))
    rows = dict(re.findall(r"^\| (.*?) \| (-?[\d.e-]+) \|$", text, flags=re.MULTILINE))
    assert float(rows["Optimal value, discounted, from the start distribution"]) == pytest.approx(0.95**4, abs=1e-9)
    assert float(rows["Value of the uniform policy"]) == pytest.approx(exact.random_value, abs=1e-9)
    assert float(rows["Value of the worst policy"]) == 0
    assert float(rows["Largest mean return of an episode of at most 100 steps"]) == pytest.approx(1)
    assert float(rows["Mean return of the uniform policy in such an episode"]) == pytest.approx(
        exact.random_episode_return(), abs=1e-9
    )
    assert float(rows["Registered `reward_threshold`"]) == pytest.approx(exact.reward_threshold, abs=1e-9)


def test_numbers_lose_their_rounding_errors():
    assert make_pages.number(0.1 + 0.2) == "0.3"
    assert make_pages.number(-1e-16) == "0"
    assert make_pages.number(-96752106370 / 3486784401) == "-27.74823311"


def test_checking_names_the_pages_that_are_out_of_date(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_pages, "PAGES", tmp_path)
    monkeypatch.setattr(make_pages, "pages", lambda: {tmp_path / name: name for name in ("LineWalk.md", "README.md")})
    assert make_pages.main([]) == 0
    assert make_pages.main(["--check"]) == 0
    (tmp_path / "LineWalk.md").write_text("old")
    (tmp_path / "Gone.md").write_text("of a world that is no more")
    capsys.readouterr()
    assert make_pages.main(["--check"]) == 1
    assert [line.split()[0].split("/")[1] for line in capsys.readouterr().out.splitlines()] == [
        "LineWalk.md",
        "Gone.md",
    ]
    assert (tmp_path / "LineWalk.md").read_text() == "old"
    assert make_pages.main([]) == 0
    assert not (tmp_path / "Gone.md").exists()
    assert make_pages.main(["--check"]) == 0


def world_module(docstring):
    module = types.ModuleType("a_world", docstring)
    module.__file__ = "/somewhere/a_world.py"
    return module


COMPLETE = """A world.

      a drawing
        of it

State: there
    is one.
Actions: none.
Rewards: 0.
Start: there.
Episode end: never.
Exact solution: 0.
Source: nobody.
"""


def test_a_docstring_is_taken_apart():
    summary, drawing, sections = make_pages.parse_module(world_module(COMPLETE))
    assert summary == "A world."
    assert drawing == "a drawing\n  of it"
    assert sections["State"] == "There is one."
    assert list(sections) == list(make_pages.SECTIONS)


@pytest.mark.parametrize("section", ["State", "Actions", "Rewards", "Start", "Episode end", "Exact solution", "Source"])
def test_a_missing_section_is_an_error_that_names_the_file(section):
    docstring = re.sub(rf"^{section}: .*\n(    .*\n)*", "", COMPLETE, flags=re.MULTILINE)
    with pytest.raises(ValueError, match=rf"a_world\.py: the module's docstring must have the section '{section}'"):
        make_pages.parse_module(world_module(docstring))


def test_a_line_that_belongs_to_no_section_is_an_error():
    with pytest.raises(ValueError, match=r"a_world\.py: a line of a section must be indented .* 'Startt: here\.'"):
        make_pages.parse_module(world_module(COMPLETE + "Startt: here.\n"))


def test_an_argument_that_the_docstring_leaves_out_is_an_error():
    def builder(*, size=1, slip=0.0):
        """Build.

        Args:
            size: of it, in more
                than one line.
            sloop: a slip.
        """

    with pytest.raises(ValueError, match=r"builder: .* lacks \['slip'\] and has \['sloop'\] too many"):
        make_pages.parse_arguments(builder)


def test_a_new_version_has_to_say_what_changed(monkeypatch):
    entry = make_pages.WORLDS["LineWalk"]
    later = type(entry)(**{**vars(entry), "version": 1})
    with pytest.raises(ValueError, match=r"line_walk\.py: .* version 1 must have a 'Version history'"):
        make_pages._versions(make_pages._source(later)[0], later, {})


def test_markdown_shows_the_text_as_it_is():
    assert make_pages.escape("v*(s) < 1_0 in [0, 1] and `a*b_c`") == r"v\*(s) \< 1\_0 in \[0, 1\] and `a*b_c`"
    assert make_pages.cell("|s|") == r"\|s\|"


def test_defaults_are_written_as_a_person_would():
    assert [make_pages.literal(value) for value in (1 / 3, 0.05, "up", (1, 2), None)] == [
        "1/3",
        "0.05",
        '"up"',
        "(1, 2)",
        "None",
    ]
    assert make_pages._sentence("v*(0) is 0.") == "v*(0) is 0."


# The gallery ---------------------------------------------------------------------------------------------------------


def test_the_gallery_has_a_small_picture_of_every_world_as_it_is_drawn_now():
    import pygame

    make_gallery = script("make_gallery")
    drawn = dict(make_gallery.pictures())
    assert set(WORLDS) <= set(drawn)
    assert {path.stem for path in make_gallery.GALLERY.glob("*")} == set(drawn), "run `make gallery`"
    for name, frame in drawn.items():
        path = make_gallery.GALLERY / f"{name}.png"
        assert path.stat().st_size < 40_000
        stored = pygame.surfarray.array3d(pygame.image.load(str(path))).transpose(1, 0, 2)
        assert stored.shape == frame.shape, f"{name}: run `make gallery`"
        # Fonts are drawn a little differently by other versions of SDL, so only what can be seen counts.
        difference = np.abs(stored.astype(int) - frame.astype(int)).mean()
        assert difference < 1.0, f"{name} differs by {difference:.2f} on average: run `make gallery`"


def test_pictures_are_written_as_png(tmp_path):
    import pygame

    make_gallery = script("make_gallery")
    frame = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(make_gallery.png(frame))
    stored = pygame.surfarray.array3d(pygame.image.load(str(tmp_path / "a.png"))).transpose(1, 0, 2)
    np.testing.assert_array_equal(stored, frame & 0xFE)


def test_every_kind_of_observation_that_a_builder_describes_is_on_its_page(pages):
    for name, entry in WORLDS.items():
        default = inspect.signature(make_pages._source(entry)[1]).parameters["observation"].default
        assert f'| `"{default}"` |' in pages[make_pages.PAGES / f"{name}.md"]
        assert '| `"one_hot"` |' in pages[make_pages.PAGES / f"{name}.md"]
