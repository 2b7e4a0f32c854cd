"""The signature of a class, read from its source and that of its parents without importing any of them."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import inspect
import typing
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from wsolkit.sources.classes import ClassSource, class_node, constant, parents_of

__all__ = ["Default", "signature_of", "stand_in"]

KNOWN: dict[str, Any] = {**vars(builtins), **{name: getattr(typing, name) for name in typing.__all__}}
KNOWN |= {name: getattr(collections.abc, name) for name in collections.abc.__all__}
"""What the annotations of arguments may be made of; what else they name stays unknown."""


class Default:
    """A default as its source says it: a value made of numbers and texts, or else the text of an expression."""

    def __init__(self, value: ast.expr, module: str) -> None:
        spelled = with_constants(value, module)
        try:
            self.text = repr(eval(ast.unparse(spelled), {"__builtins__": {}}))
        except (NameError, AttributeError, TypeError, LookupError, ArithmeticError):
            self.text = ast.unparse(value)

    def __repr__(self) -> str:
        return self.text


@cache
def signature_of(path: str, passed_on: bool = False) -> inspect.Signature | None:
    """Return the signature of ``module:Class``, or None where only the class itself knows it.

    Annotations are texts, with the choices that a name stands for; defaults are ``Default``.

    Args:
        path: the class.
        passed_on: whether the arguments of parents stand where the class takes any, as data sets show them.
    """
    found = class_node(path)
    makers = None if found is None else makers_of(found)
    if makers is None:
        return None
    parameters: dict[str, inspect.Parameter] = {}
    for number, (maker, owner) in enumerate(makers):
        own = parameters_of(maker, owner)
        if not passed_on:
            return inspect.Signature(own)
        named = [each for each in own if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        parameters |= {p.name: p.replace(kind=p.KEYWORD_ONLY) for p in named if p.name not in parameters}
        if len(named) == len(own):
            break
        if number + 1 == len(makers):
            return None
    return inspect.Signature(list(parameters.values()))


def makers_of(found: ClassSource) -> list[tuple[ast.FunctionDef, ClassSource]] | None:
    """Return the ``__init__`` of a class and of its parents, the nearest first, or None where they cannot be told."""
    if any(each.arg != "metaclass" or ast.unparse(each.value) != "ABCMeta" for each in found.node.keywords):
        return None
    functions = [each for each in found.node.body if isinstance(each, ast.FunctionDef)]
    own = [each for each in functions if each.name == "__init__"]
    if len(own) > 1 or any(each.decorator_list for each in own) or any(each.name == "__new__" for each in functions):
        return None
    makers = [(each, found) for each in own]
    for parent in parents_of(found):
        above = None if parent is None else makers_of(parent)
        if above is None:
            return makers or None
        makers += above
    return makers


def parameters_of(maker: ast.FunctionDef, owner: ClassSource) -> list[inspect.Parameter]:
    """Return the arguments of an ``__init__`` without ``self``."""
    given, module = maker.args, owner.module

    def parameter(argument: ast.arg, kind: Any, default: ast.expr | None = None) -> inspect.Parameter:
        return inspect.Parameter(
            argument.arg,
            kind,
            default=inspect.Parameter.empty if default is None else Default(default, module),
            annotation=inspect.Parameter.empty
            if argument.annotation is None
            else ast.unparse(with_constants(argument.annotation, module, choices=True)),
        )

    first, other = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    plain = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(plain) - len(given.defaults)), *given.defaults]
    return [
        *(parameter(each, first, default) for each, default in zip(plain[1:], defaults[1:], strict=True)),
        *([parameter(given.vararg, inspect.Parameter.VAR_POSITIONAL)] if given.vararg else []),
        *(parameter(each, other, value) for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)),
        *([parameter(given.kwarg, inspect.Parameter.VAR_KEYWORD)] if given.kwarg else []),
    ]


def with_constants(expression: ast.expr, module: str, choices: bool = False) -> ast.expr:
    """Return an expression with the constants of a module in the place of their names.

    Args:
        expression: it is left as it is.
        module: where it stands.
        choices: put in only what a name of ``Literal`` or ``Annotated`` stands for.

    >>> told = with_constants(ast.parse("Precision | None", mode="eval").body, "wsolkit.model.localizer", choices=True)
    >>> ast.unparse(told)
    "Literal['auto', 'bf16', 'fp32'] | None"
    """

    class Constants(ast.NodeTransformer):
        """Puts constants in the place of their names."""

        def visit_Name(self, node: ast.Name) -> ast.expr:
            found = None if node.id in KNOWN else constant(module, node.id)
            told = isinstance(found, ast.Subscript) and ast.unparse(found.value) in ("Literal", "Annotated")
            return found if found is not None and (told or not choices) else node

    return Constants().visit(ast.parse(ast.unparse(expression), mode="eval").body)


@cache
def stand_in(path: str, passed_on: bool = False) -> Callable[..., None] | None:
    """Return a function with the name and the signature of ``module:Class``, or None where only the class knows them.

    It is there to be looked at, by ``inspect.signature`` and ``arguments.annotations_of``, not to be called.

    >>> tuple(inspect.signature(stand_in("wsolkit.model.localizer:Localizer")).parameters)[:2]
    ('backbone', 'head')
    """
    signature = signature_of(path, passed_on)
    if signature is None:
        return None
    made = FunctionType((lambda: None).__code__, dict(KNOWN), path.rpartition(":")[2])
    made.__dict__["__signature__"] = signature
    return made
