"""Where links of the repository's own files lead when a page includes them: README names files, the site has pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PAGES = {
    "[benchmarks/RESULTS.md](benchmarks/RESULTS.md)": "[Results](/results.md)",
    "[CONTRIBUTING.md](CONTRIBUTING.md)": "[Contributing](/contributing.md)",
    "[docs/interfaces](docs/interfaces/index.md)": "[Interfaces](/interfaces/index.md)",
    "[docs/porting](docs/porting/index.md)": "[Port a method in an hour](/porting/index.md)",
    "[plugins/wsolkit_cam](plugins/wsolkit_cam)": "CAM's plugin, `plugins/wsolkit_cam`",
    "[tests/third_party](tests/third_party)": "`tests/third_party`",
}


def lead_to_pages(app: Sphinx, path: Path, docname: str, content: list[str]) -> None:
    """Put the page in the place of each link to a file of the repository."""
    for file, page in PAGES.items():
        content[0] = content[0].replace(file, page)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this for each included file."""
    app.connect("include-read", lead_to_pages)
    return {"parallel_read_safe": True}
