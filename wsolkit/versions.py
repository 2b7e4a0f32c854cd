"""The versions of what results depend on."""

from __future__ import annotations

import platform
from importlib import metadata

from wsolkit import __version__

__all__ = ["versions"]

PACKAGES = {
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "timm": ("timm",),
    "mmengine": ("mmengine", "onedl-mmengine", "mmengine-lite"),
    "numpy": ("numpy",),
    "opencv-python": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
}
"""What results depend on, and the distributions that bring it under its import name: the first is what we ask for."""


def versions() -> dict[str, str]:
    """Return the versions of Python, wsolkit and what results depend on; that of a stand-in is behind its own name.

    >>> sorted(versions())
    ['mmengine', 'numpy', 'opencv-python', 'python', 'timm', 'torch', 'torchvision', 'wsolkit']
    """
    found = {"python": platform.python_version(), "wsolkit": __version__}
    return found | {package: version(names) for package, names in PACKAGES.items()}


def version(names: tuple[str, ...]) -> str:
    """Return the version of the first of some distributions that is installed.

    >>> version(("no-such-package",)), version(("no-such-package", "pluggy")).split()[0]
    ('not installed', 'pluggy')
    """
    for name in names:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        return found if name == names[0] else f"{name} {found}"
    return "not installed"
