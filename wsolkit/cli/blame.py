"""What is said of an error that is no mistake in the input: the part it arose in, or the library that is missing."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from importlib.util import find_spec

__all__ = ["broken_opencv", "missing_library", "part_at_fault"]


def part_at_fault(error: BaseException) -> str:
    """Return which part an error arose in, as ``loss Focal of my_package.focal``; nothing where it was none.

    It is the innermost one: while it was built, or in whatever method of it was called.
    """
    from mmengine import registry as engine

    import wsolkit.registry as registries

    known = [each for home in (engine, registries) for each in vars(home).values() if isinstance(each, engine.Registry)]
    kinds = {part: each.name for each in known for part in each.module_dict.values() if isinstance(part, type)}
    for owner in reversed(list(owners(error))):
        kind = next((kinds[cls] for cls in owner.__mro__ if cls in kinds), None)
        if kind is not None:
            return f"{kind} {owner.__name__} of {owner.__module__}"
    return ""


def owners(error: BaseException) -> Iterator[type]:
    """Yield the class of each method that an error went through, outermost first; what it was made of comes last."""
    for each in chain_of(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "self" in frame.f_locals:
                yield type(frame.f_locals["self"])


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those it was made of, the newest first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def missing_library(error: BaseException) -> str | None:
    """Return the library that is not installed, where an error says so; parts of wsolkit itself are none.

    >>> missing_library(ModuleNotFoundError("No module named 'x_y_z'", name="x_y_z.part"))
    'x_y_z'
    >>> missing_library(ValueError()), missing_library(ImportError("cannot import name 'a'", name="json"))
    (None, None)
    """
    if not isinstance(error, ImportError):
        return None
    names = [each.name for each in chain_of(error) if isinstance(each, ModuleNotFoundError) and each.name]
    libraries = [name.partition(".")[0] for name in names]
    return next((name for name in libraries if not name.startswith("wsolkit") and find_spec(name) is None), None)


def broken_opencv(error: BaseException) -> str | None:
    """Return what to do where OpenCV is installed but broken, or None where an error says nothing of that.

    >>> broken_opencv(AttributeError("module 'cv2' has no attribute 'imread'")).partition(".")[0]
    "OpenCV cannot be imported: module 'cv2' has no attribute 'imread'"
    """
    for each in chain_of(error):
        loads_not = isinstance(each, ImportError) and not isinstance(each, ModuleNotFoundError) and each.name == "cv2"
        native = isinstance(each, ImportError) and str(each).startswith(("libGL", "libgthread", "libglib", "libSM"))
        half = isinstance(each, AttributeError) and "module 'cv2' has no attribute" in str(each)
        if loads_not or native or half:
            return (
                f"OpenCV cannot be imported: {each}. opencv-python needs the libraries of a desktop (libGL), which "
                "servers lack; opencv-python-headless does not. They share one folder, so that with both installed, or "
                "one of them removed again, neither may work. Install one alone: pip uninstall --yes opencv-python "
                "opencv-python-headless; pip install opencv-python-headless"
            )
    return None
