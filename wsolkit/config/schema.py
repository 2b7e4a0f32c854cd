"""A JSON schema of configurations, made of what the parts take: editors complete and check YAML and JSON with it.

Only what is written is judged: a configuration that builds on others may leave out anything, so nothing is required.
Parts that are named by their path in Python, and parts of your own, are left to wsolkit, which knows them when it runs.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import mmengine.registry as engine
from mmengine.registry import Registry

from wsolkit import __version__, registry
from wsolkit.arguments import annotations_of, check_values
from wsolkit.config.check import TOP, plain_arguments
from wsolkit.config.hand_down import LOADERS
from wsolkit.config.json_types import default_of, either, json_type
from wsolkit.config.parts import CLASS_FACTS, EXTRA, FILLED, PARTS, component_of, shown
from wsolkit.plugins.loading import load_plugins
from wsolkit.registry import ComponentRegistry, import_engine
from wsolkit.sources.classes import class_node, doc_of
from wsolkit.sources.signatures import Default

__all__ = ["configuration_schema"]

ARGUMENT = re.compile(r"    (\w+): (.*)")
OFTEN = ("_scope_", "_delete_")
"""What mmengine reads in any dict."""

ENGINE = (
    engine.OPTIMIZERS, engine.PARAM_SCHEDULERS, engine.OPTIM_WRAPPERS, engine.VISUALIZERS, engine.VISBACKENDS,
    engine.EVALUATOR,
)  # fmt: skip
TEXTS = ("data_root", "labels", "load_from", "work_dir", "default_scope", "experiment_name")


def configuration_schema() -> dict[str, Any]:
    """Return the schema, draft 7 of JSON Schema, for the parts of wsolkit and of the plugins that are installed."""
    import_engine()
    definitions: dict[str, Any] = {}
    for home in homes():
        names = names_of(home)
        kinds = {name: part_schema(home, name) for name in names}
        definitions |= {f"{key_of(home)}.{name}": schema for name, schema in kinds.items()}
        definitions[key_of(home)] = chosen_by_type(home, names)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Configurations of wsolkit {__version__}",
        "type": "object",
        "properties": top_properties(),
        "definitions": definitions,
    }


def homes() -> Iterator[Registry]:
    """Yield the registries that configurations name parts of."""
    yield from (home for home in vars(registry).values() if isinstance(home, ComponentRegistry))
    yield from ENGINE


def key_of(home: Registry) -> str:
    """Return what the definition of any part of a registry is called."""
    return home.name.replace(" ", "_")


def names_of(home: Registry) -> list[str]:
    """Return the names of the parts of a registry; a plugin's long names only where there is no other."""
    if not isinstance(home, ComponentRegistry):
        return sorted(home.module_dict)
    written = [each.written_name for each in load_plugins().components.values() if each.kind.home is home]
    return sorted({*home.names(), *written} - {None})


def chosen_by_type(home: Registry, names: list[str]) -> dict[str, Any]:
    """Return the schema of any part of a registry: which one it is says its ``type``."""
    return {
        "type": "object",
        "properties": {"type": {"anyOf": [{"enum": names}, {"type": "string"}]}},
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"#/definitions/{key_of(home)}.{name}"},
            }
            for name in names
        ],
    }


def part_schema(home: Registry, name: str) -> dict[str, Any]:
    """Return the schema of one part: its arguments with types, bounds, defaults and documentation.

    Raises:
        ConfigError: bounds of one cannot be read.
    """
    cls = shown(home, {"type": name}) or component_of(home, {"type": name}, source=False)
    signature = inspect.signature(cls)
    kinds, docs = annotations_of(cls), argument_docs(doc_of_part(home, name, cls))
    check_values(name, kinds, {})
    found: dict[str, Any] = {"type": {"const": name}, **{key: {} for key in (*OFTEN, *EXTRA.get(home.name, ()))}}
    if home is registry.STAGES:
        found["name"] = {"type": "string"}
    for each in signature.parameters.values():
        if each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL):
            continue
        schema = nested(each.name, json_type(kinds.get(each.name, Any)))
        if each.default is not each.empty:
            schema |= default_of(read_default(each.default))
        if text := docs.get(each.name):
            schema["description"] = text
        found[each.name] = schema
    more = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    given = set(FILLED.get(home.name, ())) | set(CLASS_FACTS)
    for filled in given & set(found):
        found[filled].setdefault("description", "Filled in when it is built.")
    summary = doc_of_part(home, name, cls).partition("\n\n")[0]
    return {
        **({"description": " ".join(summary.split())} if summary else {}),
        "properties": found,
        **({} if more else {"additionalProperties": False}),
    }


def read_default(default: Any) -> Any:
    """Return a default as a value; those that only their source says as the text that stands there are left."""
    if not isinstance(default, Default):
        return default
    try:
        return ast.literal_eval(default.text)
    except (ValueError, SyntaxError):
        return default


def nested(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an argument, with the parts it may be where its name says that it is made of parts."""
    home = PARTS.get(name)
    if home is None:
        return dict(schema)
    plain = [each for each in (schema.get("anyOf") or [schema]) if each.get("type") in ("string", "null")]
    part = reference(home)
    return either([part, {"type": "array", "items": part}, *plain, {"type": "null"}])


def reference(home: Registry) -> dict[str, Any]:
    """Return a reference to the schema of any part of a registry."""
    return {"$ref": f"#/definitions/{key_of(home)}"}


def doc_of_part(home: Registry, name: str, cls: Any) -> str:
    """Return the docstring of a part, read from its source where that is found."""
    for each in load_plugins().components.values():
        if each.kind.home is home and name in (each.name, each.long_name) and each.given is None:
            found = class_node(each.path)
            return "" if found is None else doc_of(found.node)
    return inspect.cleandoc(vars(cls).get("__doc__") or "") if isinstance(cls, type) else ""


def argument_docs(doc: str) -> dict[str, str]:
    r"""Return what a docstring says of each argument.

    >>> argument_docs("Blurs.\n\nArgs:\n    size: of the kernel,\n        in pixels.\n\nRaises:\n    X: no.")
    {'size': 'of the kernel, in pixels.'}
    """
    found: dict[str, str] = {}
    name = ""
    for line in doc.partition("Args:\n")[2].split("\n"):
        start = ARGUMENT.fullmatch(line)
        if start is not None:
            name = start[1]
            found[name] = start[2]
        elif line.startswith("        ") and name:
            found[name] += f" {line.strip()}"
        elif line.strip():
            break
    return found


def top_properties() -> dict[str, Any]:
    """Return the schemas of what stands at the top of a configuration."""
    found: dict[str, Any] = {name: {} for name in TOP}
    found |= {name: {"type": ["string", "null"]} for name in TEXTS}
    found |= {name: keyed((name,)) for name in (*LOADERS, "env_cfg", "feature_cache", "randomness", "auto_scale_lr")}
    found |= {
        name: either([{**reference(registry.LOOPS), **keyed((name,))}, {"type": "null"}])
        for name in ("val_cfg", "test_cfg", "train_cfg")
    }
    for name in LOADERS:
        found[name]["properties"] |= {
            "dataset": reference(registry.DATASETS), "sampler": reference(registry.DATA_SAMPLERS)
        }  # fmt: skip
        found[name] = either([found[name], {"type": "null"}])
    found |= {
        "$schema": {"type": "string"},
        "_base_": either([{"type": "string"}, {"type": "array", "items": {"type": "string"}}]),
        "model": reference(registry.MODELS),
        "classes": {"type": ["array", "null"], "items": {"type": ["string", "integer"]}},
        "background": {"type": ["array", "null"], "items": {"type": ["string", "integer"]}},
        "track": either([{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}]),
        "optim_wrapper": either([reference(engine.OPTIM_WRAPPERS), {"type": "null"}]),
        "param_scheduler": {},
        "visualizer": reference(engine.VISUALIZERS),
        "default_hooks": {
            "type": "object",
            "additionalProperties": either([reference(registry.HOOKS), {"type": "null"}]),
        },
        "custom_hooks": {"type": ["array", "null"], "items": reference(registry.HOOKS)},
        "stages": {"type": "array", "items": reference(registry.STAGES)},
    }
    for name in ("val_evaluator", "test_evaluator"):
        found[name] = either([*one_or_more(registry.METRICS), {"type": "null"}])
    found["param_scheduler"] = either([*one_or_more(engine.PARAM_SCHEDULERS), {"type": "null"}])
    return dict(sorted(found.items()))


def one_or_more(home: Registry) -> list[dict[str, Any]]:
    """Return the schemas of a part and of a list of parts."""
    return [reference(home), {"type": "array", "items": reference(home)}]


def keyed(path: tuple[str, ...]) -> dict[str, Any]:
    """Return the schema of a dict without a type, which takes certain keys."""
    names = plain_arguments(path, {}) or []
    if path[0] == "train_cfg":
        names = [*names, "max_iters"]
    return {"type": "object", "properties": {name: {} for name in ("type", *OFTEN, *names)}}
