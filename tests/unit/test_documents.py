"""The pages of the documentation lead somewhere: links, paths in code marks, and the index of decisions."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
DECISIONS = HOUSE / "docs" / "adr"
PAGES = [HOUSE / "README.md", HOUSE / "CHANGELOG.md", *sorted((HOUSE / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PATH = re.compile(r"`((?:bench|common|deploy|docs|gateway|services|tests|tools)/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_at_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    dead = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    # A test may be named by its beginning: `tests/traps/test_t09`.
    dead += [path for path in PATH.findall(text) if not (HOUSE / path).exists() and not list(HOUSE.glob(f"{path}*"))]
    assert dead == []


def test_every_decision_stands_in_the_index_under_its_title() -> None:
    listed = re.findall(
        r"^(\d+)\. \[(.+)\]\((.+)\)$", (DECISIONS / "README.md").read_text(encoding="utf-8"), flags=re.M
    )
    written = []
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        number, title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").split(". ", 1)
        assert int(path.name[:4]) == int(number)
        written.append((number, title, path.name))
    assert listed == written
