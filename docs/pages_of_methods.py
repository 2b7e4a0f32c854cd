"""Writes docs/methods: a page for each method, which is its card under the paper's facts, and one table of them all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from wsolkit.files import write_text
from wsolkit.plugins.loading import load_methods, load_plugins
from wsolkit.plugins.methods import Method

INDEX = """# Methods

{number} methods ship with wsolkit. Each has a page with what it is, how it is used, its settings, what differs from the
paper and why, and numbers beside CAM's from the same run. `wsolkit show NAME` prints the same in a terminal.

*Trained with* is what people have to say of the images that a method learns from. `labels` are image labels; a method
that learns from `boxes` or `masks` is not weakly supervised and is marked in every table.

| method | paper | year | trained with | parts | configurations |
|---|---|---|---|---|---|
{rows}

```{{toctree}}
:hidden:

{pages}
```
"""
PAGE = """# {name}

{summary}

{facts}

{printed}{card}
"""


def page_name(method: Method) -> str:
    """Return the name of a method's page, such as ``grad-cam``.

    >>> page_name(Method("Grad-CAM++", "t", "a", "v", 2018, "s"))
    'grad-campp'
    """
    return re.sub(r"[^a-z0-9]+", "-", method.name.casefold().replace("+", "p")).strip("-")


def methods_here() -> list[Method]:
    """Return the methods of this repository's own plugins, by name; those of other packages have no page here."""
    return sorted(
        (method for method, source in load_methods() if source.distribution == "wsolkit"),
        key=lambda method: method.name.casefold(),
    )


def parts_of(method: Method) -> list[str]:
    """Return the parts that the section ``Parts`` of a method's card names, in its order."""
    section = method.card_text().partition("\n## Parts\n")[2].partition("\n## ")[0]
    names = {component.name for component in load_plugins().components.values()}
    return [name for name in dict.fromkeys(re.findall(r"`(\w+)", section)) if name in names]


def code(names: list[str] | tuple[str, ...]) -> str:
    """Return names as code, with commas between them."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def row(method: Method) -> str:
    """Return a method's line of the table."""
    paper = f"{method.title} ({method.venue})"
    cells = [f"[{method.name}]({page_name(method)}.md)", paper, str(method.year), method.trained_with]
    return f"| {' | '.join([*cells, code(parts_of(method)), code(method.configs[:3])])} |"


def page(method: Method) -> str:
    """Return a method's page."""
    trained = method.trained_with + (": not weakly supervised" if method.warning else "")
    facts = {
        "paper": f"{method.authors}: *{method.title}*. {method.venue} {method.year}",
        "also called": ", ".join(method.other_names),
        "trained with": trained,
        "parts": code(parts_of(method)),
        "configurations": code(method.configs),
    }
    lines = ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts.items() if value)]
    printed = [f"| {name} | {value:g} |" for name, value in method.reported.items()]
    table = "\n".join(["| printed in papers | |", "|---|---|", *printed]) + "\n\n" if printed else ""
    card = re.sub(r"\A\s*# .*\n", "", method.card_text()).strip("\n")
    return PAGE.format(name=method.name, summary=method.summary, facts="\n".join(lines), printed=table, card=card)


def write_pages(app: Sphinx) -> None:
    """Write the pages that have changed into ``docs/methods`` and remove those of methods that are gone."""
    folder = Path(app.srcdir, "methods")
    folder.mkdir(exist_ok=True)
    methods = methods_here()
    texts = {f"{page_name(method)}.md": page(method) for method in methods}
    rows, pages = "\n".join(map(row, methods)), "\n".join(map(page_name, methods))
    texts["index.md"] = INDEX.format(number=len(methods), rows=rows, pages=pages)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            write_text(path, text)
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this before it looks for pages."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
