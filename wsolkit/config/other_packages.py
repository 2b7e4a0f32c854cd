"""Where packages lie that configurations build on. mmengine asks ``pkg_resources``, which setuptools 82 left out."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

__all__ = ["installed_path", "is_installed"]


def module_of(package: str) -> str:
    """Return the module that a distribution brings, or the name itself where there is no distribution of it.

    >>> module_of("mmengine"), module_of("no_such_package")
    ('mmengine', 'no_such_package')
    """
    try:
        listed = metadata.distribution(package).read_text("top_level.txt")
    except metadata.PackageNotFoundError:
        return package
    return (listed or package).split()[0]


def is_installed(package: str) -> bool:
    """Whether a distribution, or a module of that name, is there.

    >>> is_installed("mmengine"), is_installed("no_such_package")
    (True, False)
    """
    return find_spec(module_of(package)) is not None


def installed_path(package: str) -> str:
    """Return the folder of the module that a distribution brings.

    Raises:
        ModuleNotFoundError: it is not installed.

    >>> Path(installed_path("mmengine")).name
    'mmengine'
    """
    found = find_spec(module_of(package))
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed, so nothing can build on its configurations")
    return str(Path(found.origin).parent)
