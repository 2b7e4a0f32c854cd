"""The fenced blocks of Markdown pages, by their language and caption."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[2] / "docs"

FENCE = re.compile(
    r"^```(?:\{code-block\} )?(?P<language>\w+)\n(?P<options>(?::\w+: [^\n]*\n)*)\n?(?P<text>.*?)^```$", re.M | re.S
)


class Block(NamedTuple):
    """A fenced block: its language, its caption where it has one, its text, and the line of the page it begins at."""

    language: str
    caption: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, from top to bottom."""
    text = page.read_text("utf-8")
    found = []
    for match in FENCE.finditer(text):
        options = dict(re.findall(r":(\w+): (.*)", match["options"]))
        line = text.count("\n", 0, match.start("text"))
        found.append(Block(match["language"], options.get("caption", ""), match["text"], line))
    return found
