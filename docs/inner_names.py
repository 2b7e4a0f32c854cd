"""What the API reference does with names that are no public ones: types in signatures, fields of named tuples."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def is_there(path: str) -> bool:
    """Whether a dotted name is something that wsolkit has, public or not.

    >>> is_there("wsolkit.labelling.run.LabelRun"), is_there("wsolkit.labelling.run.LableRun")
    (True, False)
    """
    names = path.split(".")
    found: Any = None
    for number, name in enumerate(names, start=1):
        try:
            found = import_module(".".join(names[:number]))  # a module goes before an attribute of its name
        except ImportError:
            if not hasattr(found, name):
                return number == len(names) and name in getattr(found, "__annotations__", {})
            found = getattr(found, name)
    return True


def as_text(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.TextElement | None:
    """Show a name of the inside as text, without a link; one that does not exist stays an error."""
    target = node.get("reftarget", "")
    return content if target.startswith("wsolkit.") and is_there(target) else None


def is_told_above(app: Sphinx, what: str, name: str, found: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of named tuples, which the tuple's own documentation tells."""
    return True if type(found).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this for names it does not find, and for members it is about to document."""
    app.connect("missing-reference", as_text)
    app.connect("autodoc-skip-member", is_told_above)
    return {"parallel_read_safe": True}
