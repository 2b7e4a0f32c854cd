"""What a plugin says about the methods it implements: the facts at the top of a method's card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError, PluginError, nearest
from wsolkit.plugins.search_ranges import SearchRange, ranges_of

__all__ = ["Method"]

FENCE = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)\n*", re.DOTALL | re.MULTILINE)
WORDS = ("name", "title", "authors", "venue", "summary")
REQUIRED = (*WORDS, "year")
KEYS = (*REQUIRED, "other_names", "configs", "config_dir", "reported", "trained_with", "search")

LABELS = "labels"
TRAINED_WITH = (LABELS, "nothing", "boxes", "masks")
"""What people have to say of the images that a method learns from; with boxes or masks it is not weakly supervised."""


@dataclass(frozen=True)
class Method:
    """A published method: where it comes from, what ships for it, what its paper reports.

    Attributes:
        name: the method's usual short name, such as ``CAM``.
        title: title of the paper.
        authors: authors of the paper, as cited.
        venue: where it appeared.
        year: when.
        summary: the method in one sentence.
        configs: names of the configurations that train it, without ``.py``.
        config_dir: folder of configurations a third-party plugin ships, or None.
        card: Markdown file with what differs from the paper and why, or None.
        reported: numbers the paper prints, by the name of the metric and data set.
        other_names: what else the method is called, such as by the authors' code.
        trained_with: what people have to say of the images it learns from: ``labels``, ``nothing``, ``boxes`` or
            ``masks``.
        search: where hyper-parameters are searched, by the dotted names of their options;
            ``model.modifiers.{0,1}.drop_rate`` is one value for both.
    """

    name: str
    title: str
    authors: str
    venue: str
    year: int
    summary: str
    configs: tuple[str, ...] = ()
    config_dir: Path | None = None
    card: Path | None = None
    reported: Mapping[str, float] = field(default_factory=dict)
    other_names: tuple[str, ...] = ()
    trained_with: str = LABELS
    search: Mapping[str, SearchRange] = field(default_factory=dict)

    def is_called(self, name: str) -> bool:
        """Whether the method goes by a name, in small or capital letters."""
        return name.casefold() in (each.casefold() for each in (self.name, *self.other_names))

    @classmethod
    def from_card(cls, path: str | Path) -> Method:
        """Read a method from the YAML between two lines ``---`` at the top of its card.

        The keys are the attributes: ``name``, ``title``, ``authors``, ``venue``, ``year`` and ``summary``; where there
        are any ``other_names`` and ``configs`` (lists), ``config_dir`` (relative to the card), ``reported`` (numbers
        by their names) and ``search`` (``optim_wrapper.optimizer.lr: log 1e-5 1``); ``trained_with`` where that is
        something else than labels.

        Raises:
            PluginError: the card cannot be read, has no such lines, or a fact is missing, unknown or of another kind.
        """
        card = Path(path)
        facts = read_facts(card)
        for key in facts:
            if key not in KEYS:
                raise PluginError(
                    f"The card {card} has the key {key!r}, which nothing reads. {nearest(str(key), KEYS)}"
                )
        for key in REQUIRED:
            if key not in facts:
                raise PluginError(f"The card {card} lacks {key!r}. Add `{key}: ...` between its lines of ---.")
        return cls(
            **{key: text_of(card, key, facts[key]) for key in WORDS},
            year=year_of(card, facts["year"]),
            other_names=names_of(card, facts.get("other_names", []), "other_names"),
            configs=configs_of(card, facts.get("configs", [])),
            config_dir=folder_of(card, facts.get("config_dir")),
            card=card,
            reported=numbers_of(card, facts.get("reported", {})),
            trained_with=supervision_of(card, facts.get("trained_with", LABELS)),
            search=searched(card, facts.get("search", {})),
        )

    @property
    def warning(self) -> str:
        """What tables put beside the method's name: that it is not weakly supervised; nothing where it is."""
        return f"trained with {self.trained_with}" if self.trained_with in ("boxes", "masks") else ""

    def card_text(self) -> str:
        """Return the card without the facts at its top; nothing where there is no card.

        Raises:
            PluginError: the card cannot be read.
        """
        return "" if self.card is None else FENCE.sub("", read_card(self.card), count=1)


def read_card(card: Path) -> str:
    """Return the text of a card.

    Raises:
        PluginError: there is no such file, or it is no text.
    """
    try:
        return card.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PluginError(f"The card {card} cannot be read ({error}). A card is a Markdown file in UTF-8.") from error


def read_facts(card: Path) -> dict[Any, Any]:
    """Return what the YAML at the top of a card says.

    Raises:
        PluginError: there is none, or it is no YAML of keys and values, each key once.
    """
    import yaml  # a command that lists no methods need not wait for it

    found = FENCE.match(read_card(card))
    if found is None:
        raise PluginError(
            f"The card {card} has no facts at its top. Begin it with ---, `name: ...`, ..., --- in lines."
        )
    try:
        tree = yaml.compose(found[1], Loader=yaml.SafeLoader)
        facts = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise PluginError(
            f"The card {card} has no valid YAML at its top: {problem}. Put values with : into quotes."
        ) from error
    if not isinstance(facts, dict):
        raise PluginError(
            f"The card {card} should have `key: value` lines at its top, but has {facts!r}. Write them so."
        )
    for twice in repeated_keys(tree):
        raise PluginError(f"The card {card} gives {twice!r} twice. Remove one.")
    return facts


def repeated_keys(tree: Any) -> list[str]:
    """Return the keys that stand twice in a mapping of a YAML tree or in one inside it; YAML would keep the last."""
    pairs = tree.value if tree.id == "mapping" else []
    keys = [key.value for key, _ in pairs]
    inner = [key for _, value in pairs for key in repeated_keys(value)]
    return [key for number, key in enumerate(keys) if key in keys[:number]] + inner


def text_of(card: Path, key: str, value: Any) -> str:
    """Return a fact that is text.

    Raises:
        PluginError: it is not, or it is empty.
    """
    if not isinstance(value, str) or not value.strip():
        raise PluginError(f'{key} in the card {card} is a text, but got {value!r}. Write {key}: "...".')
    return value


def year_of(card: Path, value: Any) -> int:
    """Return the year.

    Raises:
        PluginError: it is no whole number of four digits.
    """
    if type(value) is not int or not 1000 <= value <= 9999:
        raise PluginError(f"year in the card {card} is a year such as 2016, but got {value!r}. Write year: 2016.")
    return value


def names_of(card: Path, value: Any, key: str) -> tuple[str, ...]:
    """Return the names under a key.

    Raises:
        PluginError: they are no list of names.
    """
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise PluginError(
            f"{key} in the card {card} is a list of names, but got {value!r}. Write a line `- NAME` each."
        )
    return tuple(value)


def configs_of(card: Path, value: Any) -> tuple[str, ...]:
    """Return the names of configurations.

    Raises:
        PluginError: they are no list of names, or one ends in ``.py``.
    """
    names = names_of(card, value, "configs")
    for name in names:
        if name.endswith(".py"):
            raise PluginError(f"configs in the card {card} names {name!r}. Write {name.removesuffix('.py')!r}.")
    return names


def folder_of(card: Path, value: Any) -> Path | None:
    """Return the folder of configurations that a card names, or None.

    Raises:
        PluginError: there is no such folder beside the card.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise PluginError(
            f"config_dir in the card {card} is a folder, relative to the card, but got {value!r}. Name one."
        )
    folder = card.parent / value
    if not folder.is_dir():
        raise PluginError(
            f"There is no folder {folder}, which config_dir in the card {card} names, relative to the card. Make it, "
            "or name another."
        )
    return folder


def searched(card: Path, value: Any) -> dict[str, SearchRange]:
    """Return where hyper-parameters are searched.

    Raises:
        PluginError: a range is written otherwise.
    """
    try:
        return ranges_of(value, "search")
    except ConfigError as error:
        raise PluginError(f"The card {card}: {error}") from error


def numbers_of(card: Path, value: Any) -> dict[str, float]:
    """Return the printed numbers by their names.

    Raises:
        PluginError: they are no mapping of names to numbers.
    """
    if not isinstance(value, dict):
        raise PluginError(
            f"reported in the card {card} holds numbers by their names, but got {value!r}. "
            "Write a line `NAME: 1.5` each."
        )
    for name, number in value.items():
        if not isinstance(name, str) or type(number) not in (int, float):
            raise PluginError(
                f"reported in the card {card} holds numbers by their names, but got {name!r}: {number!r}. "
                "Write it as `NAME: 1.5`."
            )
    return {name: float(number) for name, number in value.items()}


def supervision_of(card: Path, value: Any) -> str:
    """Return what people have to say of the images that a method learns from.

    Raises:
        PluginError: it is none of the words for that.
    """
    if value not in TRAINED_WITH:
        raise PluginError(
            f"trained_with in the card {card} is one of {', '.join(TRAINED_WITH)}, but got {value!r}. "
            "Write trained_with: boxes."
        )
    return str(value)
