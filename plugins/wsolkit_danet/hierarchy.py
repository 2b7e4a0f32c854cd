"""The hierarchy of the classes: as the data has it, or by a rule from their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wsolkit import ConfigError

__all__ = ["groups_by_last_word", "hierarchy"]


def groups_by_last_word(names: Sequence[str]) -> list[int]:
    """Return the group of each class by the last word of its name, as birds and dogs are named after their families.

    Words end at blanks, ``_``, ``-`` and ``.``; case does not matter. Groups are numbered as they come.

    >>> groups_by_last_word(["002.Laysan_Albatross", "003.Sooty_Albatross", "House Wren"])
    [0, 0, 1]
    """
    last = [re.split(r"[\s_.\-]+", name.strip(" _.-").lower())[-1] for name in names]
    order = list(dict.fromkeys(last))
    return [order.index(word) for word in last]


def hierarchy(
    num_classes: int, class_names: Sequence[str] | None = None, class_groups: Sequence[Sequence[int]] | None = None
) -> list[list[int]]:
    """Return the levels above the classes, coarse to fine: the group of each class.

    The data's own come first, then those by the last word of the names. Levels on which all classes are one group, or
    each is a group of its own, say nothing and are left out.

    Args:
        num_classes: K.
        class_names: K names.
        class_groups: levels of K group numbers.

    Raises:
        ConfigError: a level has another number of classes.

    >>> hierarchy(3, ["Laysan Albatross", "Sooty Albatross", "House Wren"])
    [[0, 0, 1]]
    >>> hierarchy(3, class_groups=[[0, 0, 0], [5, 5, 2], [0, 1, 2]])
    [[0, 0, 1]]
    """
    given = class_groups if class_groups is not None else [groups_by_last_word(class_names)] if class_names else []
    levels = []
    for level in given:
        if len(level) != num_classes:
            raise ConfigError(
                f"A level of class_groups has a group for each of the {num_classes} classes, but one has {len(level)}. "
                "Take them from the data (train_dataloader.dataset.class_groups)."
            )
        order = list(dict.fromkeys(level))
        if 1 < len(order) < num_classes:
            levels.append([order.index(group) for group in level])
    return levels
