"""The card of a shared model: its method and paper, classes, training, what was measured, and how it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from wsolkit import __version__
from wsolkit.config.stored import stored_document, types_in
from wsolkit.plugins.loading import load_plugins
from wsolkit.plugins.methods import Method
from wsolkit.report.evaluation import Evaluation, numbers_of

__all__ = ["model_card"]

MOST = 1000
"""So many classes are named."""

FACTS = {
    "configuration": "Configuration",
    "configuration_hash": "Hash of the configuration, without seeds and folders",
    "seed": "Seed",
    "number_format": "Arithmetic",
    "boxes": "Boxes or masks that training saw",
}


def model_card(
    name: str, stored: Mapping[str, Any], evaluations: Sequence[Evaluation] = (), license: str | None = None
) -> str:
    """Return the card of a checkpoint as Markdown with facts in YAML at its top, as the Hugging Face hub reads them.

    Args:
        name: what the model is called; ``OWNER/NAME`` where it is on the hub.
        stored: what ``read_checkpoint`` returned; it holds a configuration.
        evaluations: what was measured.
        license: of the weights.

    Raises:
        CheckpointError: the checkpoint holds no configuration.
    """
    content = stored_document(stored, name)["config"]
    meta = stored.get("meta") or {}
    methods = methods_of(content, meta)
    tags = ["weakly-supervised-object-localization", "class-activation-maps"]
    facts: dict[str, Any] = {"library_name": "wsolkit", "tags": tags + [tag(each.name) for each in methods]}
    if license:
        facts["license"] = license
    parts = [
        f"---\n{yaml.safe_dump(facts, sort_keys=False)}---",
        f"# {in_line(name)}",
        "A model that was trained with image labels and finds objects: class activation maps and boxes. Made with "
        f"wsolkit {__version__}.",
        *map(method_text, methods),
        f"## Use\n\n{use_text(name)}",
        f"## Classes\n\n{classes_text(list(content.get('classes') or meta.get('classes') or ()))}",
        f"## Training\n\n{training_text(meta.get('training'))}",
        f"## Measured\n\n{measured_text(evaluations)}",
    ]
    return "\n\n".join(parts) + "\n"


def methods_of(content: Mapping[str, Any], meta: Mapping[str, Any]) -> list[Method]:
    """Return the methods of a model: the one whose configuration it is, or else those whose parts its model names."""
    plugins = load_plugins()
    facts = meta.get("training")
    name = facts.get("configuration") if isinstance(facts, Mapping) else None
    told = {name, content.get("experiment_name")} - {None, ""}
    named = [method for method, _ in plugins.methods if told & set(method.configs)]
    if named:
        return named
    used = set(types_in(content.get("model") or {}))
    sources = [each.source for each in plugins.components.values() if used & {each.name, each.long_name}]
    return [method for method, source in plugins.methods if source in sources]


def method_text(method: Method) -> str:
    """Return what a method is and where it was published."""
    lines = [f"**{method.name}.** {method.summary}"]
    if method.title:
        lines.append(f"Paper: {method.authors}. *{method.title}*. {method.venue} {method.year}.")
    if method.warning:
        lines.append(f"Trained with {method.trained_with}: not weakly supervised.")
    return "\n\n".join(lines)


def use_text(name: str) -> str:
    """Return how the model is used."""
    return (
        "```python\nfrom wsolkit import from_pretrained\n\n"
        f"predictor = from_pretrained({json.dumps(name, ensure_ascii=False)})  # or a folder with model.safetensors\n"
        'for result in predictor(["photo.jpg"]):\n    print(result.boxes)\n```\n\n'
        "Or, with the file: `wsolkit predict model.safetensors PHOTOS --out found`. The file holds tensors and text, "
        "and nothing in it is run."
    )


def classes_text(classes: Sequence[str]) -> str:
    """Return the names of the classes.

    >>> classes_text(["owl", "wren"]), classes_text([])
    ('2: owl, wren.', 'It has one map for all objects and names no classes.')
    """
    if not classes:
        return "It has one map for all objects and names no classes."
    more = f" and {len(classes) - MOST} more" if len(classes) > MOST else ""
    return f"{len(classes)}: {', '.join(in_line(str(each)) for each in classes[:MOST])}{more}."


def training_text(facts: Any) -> str:
    """Return what the checkpoint says of its training."""
    known = facts if isinstance(facts, Mapping) else {}
    rows = [f"| {words} | {in_line(str(known[key]))} |" for key, words in FACTS.items() if key in known]
    return "\n".join(["| | |", "|---|---|", *rows]) if rows else "The checkpoint does not say."


def measured_text(evaluations: Sequence[Evaluation]) -> str:
    """Return the honest numbers of evaluations as tables, each with its interval and how its threshold was chosen."""
    if not evaluations:
        return "Nothing: no results of `wsolkit test` lay beside the checkpoint."
    tables = []
    for each in evaluations:
        rows = [
            f"| {result.metric} | {number.name} | {number.honest.score.percent:.1f} "
            f"| {number.honest.score.low:.1f} to {number.honest.score.high:.1f} | {number.honest.selection or ''} |"
            for result in each.results
            for number in numbers_of(result)
            if number.honest is not None
        ]
        head = "| protocol | number | % | 95 % interval | threshold chosen |\n|---|---|--:|---|---|"
        tables.append(f"On {each.images} images of the split {in_line(each.split)}:\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(tables)


def tag(name: str) -> str:
    """Return a name as the hub writes tags.

    >>> tag("Smooth Grad-CAM++")
    'smooth-grad-cam++'
    """
    return "-".join(name.lower().split())


def in_line(text: str) -> str:
    """Return text that stays in its line and its cell, and is no markup.

    >>> in_line("a|b  <c>")
    'a&#124;b &lt;c&gt;'
    """
    signs = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "[": "&#91;", "*": "&#42;"}
    return "".join(signs.get(letter, letter) for letter in " ".join(text.split()))
