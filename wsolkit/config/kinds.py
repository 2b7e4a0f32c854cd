"""What an entry of a configuration is, a dict, a list or text, before anybody reads it as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

from wsolkit.config.hand_down import LOADERS
from wsolkit.errors import ConfigError, shortened

__all__ = ["check_kinds"]

PLAIN = (str, bytes, bool, int, float, list, tuple, set)


def is_dict(value: Any) -> bool:
    """Whether a value is a dict."""
    return isinstance(value, Mapping)


def is_part(value: Any) -> bool:
    """Whether a value can be a part: a dict that says how to build it, or an object that is built already."""
    return not isinstance(value, PLAIN)


def are_parts(value: Any) -> bool:
    """Whether a value is a part or a list of parts."""
    return all(map(is_part, value)) if isinstance(value, (list, tuple)) else is_part(value)


def are_schedules(value: Any) -> bool:
    """Whether a value is a schedule, a list of schedules, or either by the name of an optimizer."""
    by_name = isinstance(value, Mapping) and "type" not in value
    return all(map(are_parts, value.values())) if by_name else are_parts(value)


def is_list_of_parts(value: Any) -> bool:
    """Whether a value is a list of parts."""
    return isinstance(value, (list, tuple)) and are_parts(value)


def are_hooks(value: Any) -> bool:
    """Whether a value is a dict of hooks, some of which may be None."""
    return isinstance(value, Mapping) and all(map(is_part, value.values()))


def is_text(value: Any) -> bool:
    """Whether a value is text or a path."""
    return isinstance(value, (str, PurePath))


def are_names(value: Any) -> bool:
    """Whether a value is a list of names."""
    return isinstance(value, (list, tuple)) and all(isinstance(name, (str, int)) for name in value)


def is_name_or_names(value: Any) -> bool:
    """Whether a value is a name or a list of names."""
    return isinstance(value, str) or are_names(value)


DICT = (is_dict, "a dict: NAME=dict(...)")
PART = (is_part, "a dict: NAME=dict(type=...)")
PARTS = (are_parts, "a dict, or a list of dicts: NAME=[dict(type=...)]")
TEXT = (is_text, 'text: NAME="..."')
KINDS: dict[tuple[str, ...], tuple[Callable[[Any], bool], str]] = {
    ("model",): DICT,
    **{(name,): DICT for name in (*LOADERS, "train_cfg", "val_cfg", "test_cfg", "optim_wrapper", "randomness")},
    **{(name,): DICT for name in ("env_cfg", "log_processor", "visualizer", "auto_scale_lr", "model_wrapper_cfg")},
    **{(name,): PARTS for name in ("val_evaluator", "test_evaluator")},
    ("param_scheduler",): (are_schedules, PARTS[1]),
    ("default_hooks",): (are_hooks, "a dict of hooks: default_hooks=dict(checkpoint=dict(...))"),
    ("custom_hooks",): (is_list_of_parts, "a list of hooks: custom_hooks=[dict(type=...)]"),
    ("custom_imports",): (is_dict, "a dict: custom_imports=dict(imports=[...])"),
    **{(name,): TEXT for name in ("data_root", "labels", "weights", "load_from", "work_dir", "default_scope")},
    ("background",): (are_names, 'a list of names: background=["..."]'),
    ("classes",): (are_names, 'a list of names: classes=["...", "..."]'),
    ("track",): (is_name_or_names, 'a name or a list of names: track=["..."]'),
    ("model", "data_preprocessor"): PART,
    **{
        ("model", name): (is_list_of_parts, "a list of dicts: NAME=[dict(type=...)]")
        for name in ("losses", "modifiers", "batch_transforms")
    },
    ("visualizer", "vis_backends"): (is_list_of_parts, "a list of dicts: vis_backends=[dict(type=...)]"),
    **{("optim_wrapper", name): DICT for name in ("optimizer", "clip_grad", "paramwise_cfg")},
    **{(loader, name): PART for loader in LOADERS for name in ("dataset", "sampler", "batch_sampler")},
}
"""What may stand at a place, as a test and in words; None may stand at every one."""


def check_kinds(config: Mapping[str, Any]) -> None:
    """Compare the entries of a configuration with what they have to be.

    Raises:
        ConfigError: one is of another type; or the default scope is no package that is installed.

    >>> check_kinds({"model": ["Localizer"]})
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: model should be a dict: model=dict(...), but got ['Localizer'].
    """
    for place, value, (fits, words) in placed(config):
        if value is not None and not fits(value):
            given = shortened(repr(value), 100)
            raise ConfigError(f"{'.'.join(place)} should be {words.replace('NAME', place[-1])}, but got {given}.")
    scope = config.get("default_scope") or "wsolkit"
    if "." in scope or find_spec(scope) is None:
        raise ConfigError(
            f"default_scope should be a package of parts, but there is none named {scope!r}. Leave it out."
        )


def placed(config: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, tuple[Callable[[Any], bool], str]]]:
    """Yield each entry that is known, with its place and what it may be; those inside others after these."""
    for place, kind in KINDS.items():
        holder: Any = config
        for name in place[:-1]:
            holder = holder.get(name) if isinstance(holder, Mapping) else None
        if isinstance(holder, Mapping) and place[-1] in holder:
            yield place, holder[place[-1]], kind
