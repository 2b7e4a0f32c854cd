"""The versions of what results depend on."""

from __future__ import annotations

import platform
from importlib import metadata

from wsolkit import __version__

__all__ = ["versions"]

PACKAGES = ("torch", "torchvision", "timm", "mmengine", "numpy", "opencv-python")


def versions() -> dict[str, str]:
    """Return the versions of Python, wsolkit and what results depend on.

    >>> sorted(versions())
    ['mmengine', 'numpy', 'opencv-python', 'python', 'timm', 'torch', 'torchvision', 'wsolkit']
    """
    found = {"python": platform.python_version(), "wsolkit": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
