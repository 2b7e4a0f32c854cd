"""Arguments are compared with their annotations, wherever a component is made."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pytest
from torch import nn

from wsolkit import ConfigError, Pooling
from wsolkit.arguments import annotations_of, check_value, without_annotation
from wsolkit.config import schema
from wsolkit.registry import ComponentRegistry

if TYPE_CHECKING:
    from nowhere import Unknown

Share = Annotated[float, "in [0, 1)"]


class Picky(Pooling):
    """A pooling with choices and bounds."""

    def __init__(
        self,
        mode: Literal["mean", "max"] = "mean",
        share: Share = 0.5,
        cells: Annotated[int, "at least 1"] | None = None,
        scales: Sequence[Annotated[float, "above 0"]] = (1,),
        other: Unknown | None = None,
        **more: int,
    ) -> None:
        super().__init__()
        self.mode, self.share = mode, share

    def forward(self, maps):
        return maps.mean((2, 3))


class Pickier(Picky):
    """Passes on what it does not know itself."""

    def __init__(self, power: Annotated[float, "in (0, inf)"] = 1.0, **options: Any) -> None:
        super().__init__(**options)


THINGS = ComponentRegistry("thing", scope="wsolkit")
THINGS.register_module(module=Picky)
THINGS.register_module(module=Pickier)

WRONG = [
    ({"mode": "median"}, "mode of {} should be one of 'mean', 'max', but got 'median'."),
    ({"mode": None}, "mode of {} should be one of 'mean', 'max', but got None."),
    ({"share": 1.0}, "share of {} should be a number in [0, 1), but got 1.0."),
    ({"share": float("nan")}, "share of {} should be a number in [0, 1), but got nan."),
    ({"share": "0.5"}, "share of {} should be a number in [0, 1), but got '0.5'."),
    ({"cells": 0}, "cells of {} should be a whole number of at least 1 or None, but got 0."),
    ({"cells": 1.0}, "cells of {} should be a whole number of at least 1 or None, but got 1.0."),
    ({"scales": [1, 0]}, "scales of {} should be a list, each a number above 0, but got [1, 0]."),
]


@pytest.mark.parametrize("kind", [Picky, Pickier])
@pytest.mark.parametrize(("given", "words"), WRONG)
def test_a_wrong_argument_is_refused_by_hand_and_by_a_registry(kind, given, words):
    for make in (lambda: kind(**given), lambda: THINGS.build({"type": kind.__name__, **given})):
        with pytest.raises(ConfigError) as caught:
            make()
        assert str(caught.value) == words.format(kind.__name__)


def test_what_fits_passes():
    found = Pickier(0.5, mode="max", share=np.float32(0.25), cells=3, scales=(0.5, 2), other=object(), more="text")
    assert (found.mode, found.share) == ("max", np.float32(0.25))
    assert THINGS.build({"type": "Picky", "cells": None}).mode == "mean"


def test_the_arguments_of_a_class_are_shown_as_they_are_written():
    assert list(inspect.signature(Picky).parameters) == ["mode", "share", "cells", "scales", "other", "more"]
    assert inspect.signature(Picky).parameters["share"].annotation == "Share"
    assert annotations_of(Pickier)["share"] == Share
    assert "other" not in annotations_of(Picky)


def test_python_says_itself_that_an_argument_is_missing_or_unknown():
    class Needy(Pooling):
        def __init__(self, size: int) -> None:
            super().__init__()

        def forward(self, maps):
            return maps

    with pytest.raises(TypeError, match="size"):
        Needy()
    with pytest.raises(TypeError, match="colour"):
        Needy(size=1, colour=2)


def test_a_checked_module_is_a_module_like_any_other():
    assert isinstance(pickle.loads(pickle.dumps(Picky(share=0.1))), nn.Module)
    with pytest.raises(ConfigError, match="share of Other should be"):
        type("Other", (Picky,), {})(share=2)


@pytest.mark.parametrize(
    ("value", "annotation", "words"),
    [
        ("1", float | None, "x should be a number or None, but got '1'."),
        ((1,), int | float, "x should be a whole number or a number, but got (1,)."),
        (0.5, int, "x should be a whole number, but got 0.5."),
        ("a", Literal["b"] | Share | None, "x should be one of 'b' or a number in [0, 1) or None, but got 'a'."),
        (2, Literal["b"] | Share, "x should be one of 'b' or a number in [0, 1), but got 2."),
        (1, Literal[True], "x should be one of True, but got 1."),
        (1, float, None),
        (True, float, None),
        (None, float | None, None),
        ("1", str | float, None),
        ("text", Sequence[int], None),
        ([0], int | Sequence[int], None),
        (0.5, Literal["b"] | Share, None),
    ],
)
def test_a_value_and_an_annotation(value, annotation, words):
    if words is None:
        check_value("x", value, annotation)
    else:
        with pytest.raises(ConfigError) as caught:
            check_value("x", value, annotation)
        assert str(caught.value) == words


class Misbound(Pooling):
    """A pooling with bounds in words of its own."""

    def __init__(self, size: int = 3, spread: Sequence[Annotated[float, "more than 0"]] | None = None) -> None:
        super().__init__()

    def forward(self, maps):
        return maps.mean((2, 3))


THINGS.register_module(module=Misbound)


@pytest.mark.parametrize(
    "make",
    [
        Misbound,
        lambda: THINGS.build({"type": "Misbound", "size": 4}),
        lambda: THINGS.build({"type": "Misbound", "spread": [1]}),
        lambda: schema.part_schema(THINGS, "Misbound"),
    ],
    ids=["by hand", "another argument", "the argument", "as a schema"],
)
def test_bounds_that_nobody_can_read_name_the_part_and_the_argument(make):
    with pytest.raises(ConfigError, match=r"^spread of Misbound has the bounds 'more than 0', which cannot be read"):
        make()


def test_arguments_without_an_annotation_are_found_in_the_parts_own_package():
    class Silent(Picky):
        def __init__(self, spread=1, *more, size: Unknown = 0, **options):
            super().__init__(**options)

    class Child(Silent):
        def __init__(self, share: Share = 0.5):
            super().__init__(share=share)

    assert without_annotation(Silent) == without_annotation(Child) == ["spread"]
    assert not without_annotation(Picky)
