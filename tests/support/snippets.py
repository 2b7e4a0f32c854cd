"""What pages show to be typed: the blocks of a Markdown file, and the commands in them."""

import re
from typing import NamedTuple

FENCE = re.compile(r"^(`{3,}|:{3,})\s*(\S*)[^\n]*\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^```\{code-block\} \w+\n:caption: `(\S+)`\n\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^(?:torchrun (?:\S+ )*?-m )?wsolkit ")


class Block(NamedTuple):
    """A block of code: its language (empty where none is named) and its text."""

    language: str
    text: str


def blocks_of(text):
    """Return the blocks of a page: fenced ones, and those indented by four spaces behind an empty line.

    >>> blocks_of("Do:\\n\\n    wsolkit list\\n\\nor\\n\\n```python\\nx = 1\\n```\\n")
    [Block(language='python', text='x = 1\\n'), Block(language='', text='wsolkit list')]
    """
    text = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.DOTALL | re.MULTILINE)
    fenced = [Block(language, body) for _, language, body in FENCE.findall(text)]
    found, lines = [], []
    for before, line in zip(
        ["", *FENCE.sub("", text).splitlines()], [*FENCE.sub("", text).splitlines(), "."], strict=True
    ):
        if line.startswith("    ") and (lines or not before.strip()):
            lines.append(line[4:])
        elif lines and line.strip():
            found.append(Block("", "\n".join(lines).rstrip()))
            lines = []
        elif lines:
            lines.append("")
    return [*fenced, *found]


def files_of(text):
    """Return the whole files that a page shows: blocks with a path as their caption, by that path.

    >>> files_of("```{code-block} python\\n:caption: `a/b.py`\\n\\nx = 1\\n```\\n")
    {'a/b.py': 'x = 1\\n'}
    """
    return dict(FILE.findall(text))


def commands_of(text):
    """Return the lines of a page that begin with ``wsolkit``, those that go on behind a backslash as one.

    >>> commands_of("    wsolkit test a \\\\\\n        --out b     # c\\n    ls\\n")
    ['wsolkit test a --out b     # c']
    """
    joined = (re.sub(r"\\\n\s*", "", block.text) for block in blocks_of(f"\n{text}") if block.language in SHELL)
    return [line.strip() for block in joined for line in block.splitlines() if COMMAND.match(line.strip())]


SHELL = ("", "bash", "sh", "console", "shell")
