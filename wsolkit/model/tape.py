"""Activations at any place of a network, and the gradients of class scores there, from one pass.

What lies before the first place is computed without a graph and with folded norms, the weights ask for no gradients,
and whatever changes tensors in place behind a place works on a copy. Names are those of modules of the backbone
(``layer3.0.conv1``), of its levels where no module has the name (``final``), or ``image`` for the input.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from wsolkit.errors import ConfigError, nearest
from wsolkit.interfaces import Activation, KnownLevels, Model
from wsolkit.model.map_layout import MapLayout, layout_of
from wsolkit.model.places import IMAGE
from wsolkit.modules import find_module, names_in

__all__ = ["Tape", "check_places", "watch"]

_ONE_AT_A_TIME = threading.RLock()
"""Held while weights ask for no gradients, so that no two threads put each other's flags back."""


@dataclass
class Tape:
    """What a network gave at some places while images went through it, for gradients of its class scores.

    Attributes:
        places: the names of the places.
        logits: (B, K) with their graph, or None where nothing was recorded or the head does not classify.
        outputs: what each place gave.
        layouts: how each of these is a map.
        size: (H, W) of the images.
        hidden: by place, the deeper levels that a gradient at this place would miss.
        head: the name of the head's class, for the words.
    """

    places: tuple[str, ...]
    size: tuple[int, int]
    head: str
    logits: Tensor | None = None
    outputs: dict[str, Tensor] = field(default_factory=dict)
    layouts: dict[str, MapLayout] = field(default_factory=dict)
    hidden: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    def activations(self) -> list[Tensor]:
        """Return what each place gave as maps (B, C, h, w), in float32 and without a graph."""
        return [self._maps(place, self.outputs[place].detach()) for place in self.places]

    def gradients(self, wanted: Tensor) -> list[Tensor]:
        """Return the gradient of a sum of class scores at each place, (B, C, h, w) in float32.

        Args:
            wanted: (B, K), how much each score counts: 1 for the class of an image, 0 for others. Images do not mix in
                eval mode, so each gets the gradient of its own sum.

        Raises:
            ConfigError: the scores do not depend on a place, or on more than what was recorded there.
        """
        hidden = [(place, name, level) for place, levels in self.hidden.items() for name, level in levels.items()]
        given = [*(self.outputs[place] for place in self.places), *(level for _, _, level in hidden)]
        if self.logits is None or not self.logits.requires_grad:
            raise self._unreached(self.places[0])
        found = torch.autograd.grad(
            self.logits, given, wanted.to(self.logits.dtype), retain_graph=True, allow_unused=True
        )
        for (place, name, _), gradient in zip(hidden, found[len(self.places) :], strict=True):
            if gradient is not None:
                raise ConfigError(
                    f"The class scores of {self.head} also read the level {name!r}, which is made of {place!r} on a "
                    "way that is not recorded: the gradient would lack it. Set at to a module of the backbone, or to "
                    f"{name!r}; with cached features, leave feature_cache out.",
                    about=self.head,
                )
        gradients = []
        for place, gradient in zip(self.places, found[: len(self.places)], strict=True):
            if gradient is None:
                raise self._unreached(place)
            gradients.append(self._maps(place, gradient))
        return gradients

    def _maps(self, place: str, output: Tensor) -> Tensor:
        return self.layouts[place].to_maps(output, self.size).float()

    def _unreached(self, place: str) -> ConfigError:
        return ConfigError(
            f"The class scores of {self.head} do not depend on what {place!r} gives, so that there is no gradient. Set "
            "at to a place that the head reads, or to one before it.",
            about=self.head,
        )


def watch(
    model: Model, images: Tensor | KnownLevels, places: Sequence[str], part: str, gradients: bool = True
) -> tuple[Activation, Tape]:
    """Run a model in eval mode and keep what some places give.

    Args:
        model: the model.
        images: (B, 3, H, W), normalised, or what is known of them.
        places: names of places, see the module's first lines; each at most once.
        part: the name of what asks, for the words.
        gradients: record what gradients of the class scores at these places need.

    Returns:
        What the model makes of the images, without a graph, and the tape.

    Raises:
        ConfigError: a place is unknown or is not run, or there are no class scores to take gradients of.
        ShapeError: what a place gives is no map.
    """
    size = (int(images.shape[-2]), int(images.shape[-1]))
    tape = Tape(tuple(places), size, type(model.head).__name__)
    watcher = _Watcher(model, tape, len(images), gradients)
    with _ONE_AT_A_TIME, _resting(model), torch.set_grad_enabled(gradients), _eager(model.backbone), watcher.on(part):
        activation = model.activate(watcher.enter(images, part))  # type: ignore[arg-type]
    for place in places:
        if place not in tape.outputs:
            raise _not_run(model, images, place, part)
        tape.layouts[place] = (
            MapLayout(3) if place == IMAGE else layout_of(model.backbone, place, tape.outputs[place], size, part)
        )
    if not gradients:
        return activation, tape
    tape.logits = activation.need("logits", part)
    return _without_graph(activation), tape


def check_places(model: Model, places: Sequence[str]) -> None:
    """Refuse places that a model's backbone does not have.

    Raises:
        ConfigError: there is one, or several modules answer to its name.
    """
    for place in places:
        if place != IMAGE and place not in model.backbone.channels:
            find_module(model.backbone, place)


class _Watcher:
    """Puts hooks at places and keeps what goes by there."""

    def __init__(self, model: Model, tape: Tape, count: int, gradients: bool) -> None:
        self.model, self.tape, self.count, self.gradients = model, tape, count, gradients
        self.thread = threading.get_ident()

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Watch the modules of these places, and the levels that leave the backbone."""
        backbone = self.model.backbone
        with ExitStack() as hooks:
            levels = [place for place in self.tape.places if place in backbone.channels]
            for place in self.tape.places:
                if place != IMAGE and (place not in levels or _is_module(backbone, place)):
                    _, module = find_module(backbone, place)
                    hooks.callback(module.register_forward_hook(self._hook(place)).remove)
            if levels:
                hooks.callback(backbone.register_forward_hook(self._leaving(levels)).remove)
            yield

    def enter(self, images: Tensor | KnownLevels, part: str) -> Tensor | KnownLevels:
        """Keep images, or the levels that are known of them, where these are asked for."""
        if isinstance(images, KnownLevels):
            named = [place for place in self.tape.places if place in images.levels]
            return KnownLevels(self._kept_levels(images.levels, named), images.size, images.mirrored, images.place)
        return self._keep(IMAGE, images) if IMAGE in self.tape.places else images

    def _hook(self, place: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            first = place not in self.tape.outputs  # what runs once more, as in a second pass, is not this place
            if self._mine() and first and (not isinstance(output, Tensor) or len(output) == self.count):
                return self._keep(place, output)
            return None

        return hook

    def _leaving(self, places: list[str]) -> Any:
        def hook(_backbone: nn.Module, _inputs: Any, levels: Mapping[str, Tensor]) -> Any:
            missing = [place for place in places if place not in self.tape.outputs]
            if self._mine() and missing and len(next(iter(levels.values()))) == self.count:
                return self._kept_levels(levels, missing)
            return None

        return hook

    def _mine(self) -> bool:
        """Whether this is the watched pass: not another thread's, nor the one that looks for norms to fold."""
        return threading.get_ident() == self.thread and torch.is_grad_enabled() == self.gradients

    def _kept_levels(self, levels: Mapping[str, Tensor], places: Sequence[str]) -> dict[str, Tensor]:
        names, changed = list(levels), dict(levels)
        for place in places:
            changed[place] = self._keep(place, levels[place])
        for place in places if self.gradients else ():
            deeper = [name for name in names[names.index(place) + 1 :] if name not in self.tape.outputs]
            for name in deeper:
                leaf = _leaf(levels[name])
                self.tape.hidden.setdefault(place, {})[name] = leaf
                changed[name] = leaf.clone()
        return changed

    def _keep(self, place: str, output: Any) -> Any:
        if not isinstance(output, Tensor):
            self.tape.outputs[place] = output  # refused afterwards, in words
            return None
        self.tape.outputs[place] = _leaf(output) if self.gradients else output
        return self.tape.outputs[place].clone()


def _leaf(output: Tensor) -> Tensor:
    """Return a tensor that gradients can be taken at: itself where a graph leads to it."""
    return output if output.requires_grad else output.detach().requires_grad_()


@contextmanager
def _resting(model: Model) -> Iterator[None]:
    """Let no weight ask for a gradient meanwhile, so that norms stay folded and no graph is made of them."""
    parts = (
        model.parameters()
        if isinstance(model, nn.Module)
        else chain(model.image_modifiers.parameters(), model.backbone.parameters(), model.head.parameters())
    )
    asking = [weight for weight in parts if weight.requires_grad]
    try:
        for weight in asking:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in asking:
            weight.requires_grad_(True)


@contextmanager
def _eager(backbone: nn.Module) -> Iterator[None]:
    """Let a compiled backbone run as it is written: compiled, it would pass the hooks by."""
    if getattr(backbone, "_compiled_call_impl", None) is None:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _is_module(backbone: nn.Module, place: str) -> bool:
    try:
        find_module(backbone, place)
    except ConfigError:
        return False
    return True


def _not_run(model: Model, images: Any, place: str, part: str) -> ConfigError:
    if isinstance(images, KnownLevels):
        return ConfigError(
            f"{part} asks for {place!r}, but the images are known by their cached features alone, "
            f"{', '.join(map(repr, images.levels))}. Leave feature_cache out, or set at to one of these.",
            about=part,
        )
    return ConfigError(
        f"Module {place!r} is never called as a whole by {type(model.backbone).__name__}, so {part} finds nothing "
        f"there. Choose one of its parts. {nearest(place + '.0', names_in(model.backbone))}",
        about=part,
    )


def _without_graph(activation: Activation) -> Activation:
    """Return an activation whose tensors are cut off from their graph."""
    found = Activation(
        lambda: activation.maps.detach(),
        None if activation.logits is None else activation.logits.detach(),
        None if activation.features is None else activation.features.detach(),
        {name: each.detach() if isinstance(each, Tensor) else each for name, each in activation.extras.items()},
    )
    found.head = activation.head
    return found
