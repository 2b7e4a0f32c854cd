"""The contract of a whole plugin: it is found, documented, and its parts go with the core's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from wsolkit.arguments import annotations_of, check_values
from wsolkit.config.find import config_files
from wsolkit.errors import WsolkitError
from wsolkit.plugins.loading import Component, load_plugins
from wsolkit.plugins.reading import GROUP, Source
from wsolkit.testing.array_contracts import check_box_extractor, check_refiner
from wsolkit.testing.backbone_contract import check_backbone
from wsolkit.testing.cam_contract import check_cam_method
from wsolkit.testing.combinations import described, try_combination
from wsolkit.testing.documentation import check_documentation
from wsolkit.testing.network_contracts import (
    check_batch_transform,
    check_head,
    check_loss,
    check_modifier,
    check_pooling,
)
from wsolkit.testing.pairs import Combination, Outcome, explore
from wsolkit.testing.part_tables import PartTables
from wsolkit.testing.promises import check_annotations

__all__ = ["check_pairs", "check_plugin"]

CORE = "wsolkit"
PREFIX = "wsolkit_"

CONTRACTS: dict[str, Callable[..., None]] = {
    "Backbone": check_backbone,
    "MapModifier": check_modifier,
    "BatchTransform": check_batch_transform,
    "Pooling": check_pooling,
    "ActivationHead": check_head,
    "Loss": check_loss,
    "CamMethod": check_cam_method,
    "BoxExtractor": check_box_extractor,
    "Refiner": check_refiner,
}
"""The contract of each interface, by its name; stages, protocols and mmengine's parts have none."""

CORE_SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "TimmBackbone": {"cnn": {"name": "test_resnet"}, "tokens": {"name": "test_vit", "levels": ["blocks.5", "final"]}},
    "InsideForeground": {"": {"classes": {"type": "ConvHead"}, "foreground": {"type": "ConvHead", "num_classes": 1}}},
}
"""What the core's parts are built with beside a plugin's: timm's smallest networks of two families."""

CORE_LEFT_OUT = {
    "VGG16GAP": "a network of convolutions as the one of timm, and slower",
    "AlexNet": "a network of convolutions as the one of timm, and slower",
    "InceptionV3": "a network of convolutions as the one of timm, and slower",
    "FeatureHead": "nothing in it is trained",
}
"""Parts of the core that a plugin's are not combined with, and why."""


def check_plugin(
    package: str,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    left_out: Mapping[str, str] | None = None,
    pairs: bool = True,
) -> list[str]:
    """Check an installed plugin: entry point, parts, documentation, cards, contracts, and pairs with the core's parts.

    In each combination a model trains a step and predicts, or refuses in words that name two of its parts.

    Args:
        package: the import package, such as ``wsolkit_mine``.
        settings: arguments of parts that cannot be built from their defaults, by the class's name.
        left_out: parts whose contract and pairs are left out, by the class's name, and why.
        pairs: whether its parts are combined with the core's, as ``check_pairs`` does it alone. It takes longer than
            all the rest, minutes where there are several parts or the machine is busy.

    Returns:
        What was checked, a line for each part and one for the pairs.

    Raises:
        AssertionError: it does not keep a contract; all that was found is named.
    """
    settings, left_out = settings or {}, left_out or {}
    sources = found_plugins(package)
    parts = {each.name: each for each in load_plugins().components.values() if each.source in sources}
    if unknown := sorted({*settings, *left_out} - set(parts)):
        raise AssertionError(f"{package} has no part {', '.join(unknown)}; its parts are {', '.join(sorted(parts))}.")
    mistakes = package_mistakes(package, sources, parts)
    lines = []
    for name, part in sorted(parts.items()):
        why = left_out.get(name)
        try:
            check_part(part, settings.get(name, {}), documentation_only=why is not None)
        except (AssertionError, WsolkitError) as error:
            mistakes.append(f"{name} ({part.kind.name}): {error}")
        lines.append(f"{name}: {part.interface}{f', left out: {why}' if why else ''}")
    if pairs and not mistakes:
        lines.append(check_pairs(package, settings, left_out))
    if mistakes:
        raise AssertionError(f"{package} does not keep its contract:\n- " + "\n- ".join(mistakes))
    return lines


def found_plugins(package: str) -> list[Source]:
    """Return the loaded plugins of an import package.

    Raises:
        AssertionError: no entry point names it, or it was left out.
    """
    plugins = load_plugins()
    named = [point for point in metadata.entry_points(group=GROUP) if root_of(point.value) == package]
    if not named:
        raise AssertionError(
            f"No entry point of group {GROUP!r} names {package}.{nearest_point(package)} Write "
            f'[project.entry-points.{GROUP}] with a line mine = "{package}" into its pyproject.toml and install it: '
            "pip install -e ."
        )
    for broken in plugins.broken:
        if root_of(broken.source.module) == package:
            raise AssertionError(f"{broken}.")
    if off := [
        point.name
        for point in named
        if {point.name, f"{point.dist and point.dist.name}:{point.name}"} & set(plugins.disabled)
    ]:
        raise AssertionError(f"WSOLKIT_DISABLED_PLUGINS leaves out {', '.join(off)}.")
    sources = {each.source for each in plugins.components.values()} | {source for _, source in plugins.methods}
    found = [source for source in sources if root_of(source.module) == package]
    if not found:
        raise AssertionError(f"{package} is found, but its hooks bring neither a part nor a method.")
    return found


def nearest_point(package: str) -> str:
    """Return a sentence that tells the entry point nearest to a package; nothing where none is near."""
    points: dict[str, metadata.EntryPoint] = {}
    for point in metadata.entry_points(group=GROUP):
        points |= {point.name: point, root_of(point.value).removeprefix(PREFIX): point}
    for near in get_close_matches(package.removeprefix(PREFIX), points, n=1):
        point = points[near]
        return f' The nearest is {point.name} = "{point.value}" of {point.dist and point.dist.name}.'
    return ""


def root_of(module: str) -> str:
    """Return the package that a module, or an entry point's value, lies in."""
    return module.partition(":")[0].partition(".")[0]


def package_mistakes(package: str, sources: list[Source], parts: Mapping[str, Component]) -> list[str]:
    """Return what is wrong with a plugin's package and cards, in words."""
    mistakes = []
    paths = getattr(import_module(package), "__path__", ())
    if paths and not any((Path(path) / "py.typed").is_file() for path in paths):
        mistakes.append(f"{package} has no file py.typed, so its types are lost to its users")
    mistakes += [
        f"{each.name} is also a part of another plugin; rename it" for each in parts.values() if each.contested
    ]
    methods = [method for method, source in load_plugins().methods if source in sources]
    known = config_files()
    for method in methods:
        if not method.card_text().strip():
            mistakes.append(f"the method {method.name} has no card; Method.from_card(Path) reads one")
        mistakes += [
            f"the card of {method.name} names the configuration {config}, which is not there"
            for config in method.configs
            if config not in known
        ]
    cards = " ".join(method.card_text() for method in methods)
    mistakes += [f"no card names the part {name}" for name in sorted(parts) if methods and name not in cards]
    return mistakes


def check_part(part: Component, settings: Mapping[str, Any], documentation_only: bool = False) -> None:
    """Check a part's documentation and annotations, and the contract of its interface where that has one.

    Raises:
        AssertionError: it does not keep it.
        WsolkitError: it cannot be imported or built, or refuses what every part of its kind is given.
    """
    check_documentation(part.cls)
    check_annotations(part.cls)
    check_values(part.cls.__name__, annotations_of(part.cls), {})
    contract = CONTRACTS.get(part.kind.name)
    if contract is not None and not documentation_only:
        contract(part.cls, **settings)


def check_pairs(
    package: str,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> str:
    """Combine each part of an installed plugin with each of its other parts and of the core's.

    In each combination a model trains a step and predicts, or refuses in words that name two of its parts. Where the
    head or the backbone is not the plugin's, nobody is warned of parts of it that no loss reaches.

    Args:
        package: the import package, such as ``wsolkit_mine``.
        settings: arguments of parts that cannot be built from their defaults, by the class's name.
        left_out: parts that are left out, by the class's name, and why.

    Returns:
        How many pairs there are, in words.

    Raises:
        AssertionError: a combination fails in another way than by a refusal that names two of its parts.
    """
    found_plugins(package)
    own = {name: {"": given} for name, given in (settings or {}).items()}
    tables = PartTables({**CORE_SETTINGS, **own}, {**CORE_LEFT_OUT, **(left_out or {})}, packages=(CORE, package))
    names = {each.name for each in load_plugins().components.values() if root_of(each.source.module) == package}

    def attempt(combination: Combination) -> Outcome:
        with warnings.catch_warnings():
            if not any(part.name in names for part in combination if part.axis in ("backbone", "head")):
                warnings.filterwarnings("ignore", "No loss reaches")
            return try_combination(combination, tables)

    found = explore(tables.axes, attempt, tables.meaningless, lambda pair: any(part.name in names for part in pair))
    failures = [f"{described(combination)}\n    {reason}" for combination, reason in found.failures.items()]
    if failures:
        raise AssertionError(f"{len(failures)} combinations with parts of {package} fail:\n" + "\n".join(failures[:10]))
    covered = sum(any(part.name in names for part in pair) for pair in found.covered)
    return f"{covered} pairs train and predict, {len(found.refused)} refuse by name"
