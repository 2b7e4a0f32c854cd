"""The interfaces: what the parts of a weakly supervised localizer promise each other.

Letters used everywhere: B images, K classes, C channels, M maps per class, H x W pixels of the network input,
h x w cells of a map, N boxes, T classes asked for in one image. Boxes are (x0, y0, x1, y1) in pixels, half open:
x1 and y1 lie just outside, a box is x1 - x0 pixels wide.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from wsolkit.arguments import Checked
from wsolkit.errors import ConfigError
from wsolkit.interfaces.array_parts import BoxExtractor
from wsolkit.interfaces.arrays import Panel
from wsolkit.interfaces.labels import ANY, LabelKind
from wsolkit.interfaces.shapes import checked_raw_maps, refuse_other_scores
from wsolkit.interfaces.tensors import Activation, Batch, Levels
from wsolkit.maps import MapNormalize, MapResize, finish_maps
from wsolkit.modules import find_module

__all__ = ["ActivationHead", "Backbone", "CamMethod", "MapModifier", "Model", "Pooling"]


class Backbone(Checked, nn.Module, ABC):
    """Turns images into named feature levels.

    Subclasses set ``channels`` and ``strides`` in ``__init__`` and override ``forward``.

    Attributes:
        channels: channels of each level, by its name, shallow to deep.
        strides: pixels of the input per cell of each level, by the same names.
        patch_size: (height, width) of the pixels of a token, or None where there are no tokens.
        prefix_tokens: how many tokens stand before those of the image: class, distillation, registers.
    """

    channels: Mapping[str, int]
    strides: Mapping[str, int]
    patch_size: tuple[int, int] | None = None
    prefix_tokens: int = 0

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3, H, W) to levels, each (B, C, h, w), shallow to deep."""

    def run_from(self, level: str, maps: Tensor, first: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the levels from one on, that one being ``maps``, as the modules after it make them.

        Optional, with the two below: a second pass and a training of the last modules on cached features need them.

        Args:
            level: a level, or another module whose maps ``run_to`` gives.
            maps: (B', C, h, w).
            first: the levels of the pass before, for what belongs to a level beside its maps.

        Raises:
            ConfigError: the backbone cannot be run in parts, or not from there.
        """
        raise self._in_one_piece(level)

    def run_to(self, level: str, images: Tensor) -> dict[str, Tensor]:
        """Return the levels that are no deeper than one, and what ``run_from`` needs there, under its name.

        Args:
            level: a level, or another module that gives maps.
            images: (B, 3, H, W).

        Raises:
            ConfigError: the backbone cannot be run in parts, or not from there.
        """
        raise self._in_one_piece(level)

    def modules_after(self, level: str) -> list[str]:
        """Return the names of the modules that ``run_from`` runs from a level.

        Raises:
            ConfigError: the backbone cannot be run in parts, or not from there.
        """
        raise self._in_one_piece(level)

    def module_of(self, level: str) -> str:
        """Return the full name of the module whose output is a level; by default the one of its name.

        Raises:
            ConfigError: no module alone makes it.
        """
        try:
            return find_module(self, level)[0]
        except ConfigError as error:
            raise ConfigError(f"{error} (No module alone is known to make the level {level!r}.)") from error

    def _in_one_piece(self, level: str) -> ConfigError:
        name = getattr(self, "name", None)
        return ConfigError(
            f"{type(self).__name__}{f' ({name})' if name else ''} cannot be run in parts, so neither a second pass nor "
            f"cached features can begin at its {level!r}. Take another backbone, such as a TimmBackbone."
        )


class MapModifier(Checked, nn.Module, ABC):
    """Changes maps or features of a batch and keeps their shape.

    It may sit on the input images, behind any module of the backbone, or on the head's maps. Subclasses override
    ``modify``. One that only belongs to training (``train_only``, the default) is the identity in eval mode.
    A subclass whose ``__init__`` takes ``channels`` is given the number of channels at its place in the backbone, one
    that takes ``maps_per_class`` that of the head whose maps it sits on, one that takes ``preprocessor`` that of the
    model whose images it sits on.
    """

    train_only: ClassVar[bool] = True
    only_at: ClassVar[str | None] = None
    """``image`` or ``maps`` where it makes sense at that place alone."""
    indexes_labels: bool = False
    """Whether it asks which classes an image shows, so that mixed labels have no answer; see ``BatchTransform``."""

    def __init__(self) -> None:  # nn.Module's own takes anything, which would hide a misspelt argument
        super().__init__()
        self._noted: dict[str, Tensor | float] = {}

    @abstractmethod
    def modify(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (B, C, h, w)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Apply ``modify``, or nothing where a train-only modifier is in eval mode."""
        if self.train_only and not self.training:
            return maps
        return self.modify(maps)

    def note(self, **numbers: Tensor | float) -> None:
        """Keep named numbers about this batch for the training log; call it in ``modify``.

        Tensors of one element stay where they are until ``scalars`` is called, so that no device is waited for.
        """
        for name, number in numbers.items():
            self._noted[name] = number.detach() if isinstance(number, Tensor) else number

    def scalars(self) -> dict[str, float]:
        """Return the named numbers noted since the last call, and forget them."""
        noted, self._noted = self._noted, {}
        return {name: float(number) for name, number in noted.items()}

    def prepare_training(self) -> None:
        """Read what training needs and prediction does not; called before a training writes or removes anything."""

    def panels(self, maps: Tensor, label: int) -> Sequence[Panel]:
        """Return pictures of what it makes of one image in training; none by default.

        ``wsolkit predict --panels`` draws them. A modifier that has some works there as in training, so that the next
        one sees what it left.

        Args:
            maps: (1, C, h, w), the maps at its place.
            label: the class that is asked for.
        """
        return ()


class Pooling(Checked, nn.Module, ABC):
    """Turns each map into one score: (B, C, h, w) to (B, C)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_forward_hook(refuse_other_scores)

    @abstractmethod
    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C)."""


class ActivationHead(Checked, nn.Module, ABC):
    """Turns feature levels into an ``Activation``.

    Subclasses take ``channels`` (of the backbone's levels, by name) as their first argument and override ``forward``.
    One whose logits are made from its maps passes them through ``self.map_modifiers`` and sets ``takes_map_modifiers``.

    Attributes:
        indexes_labels: whether ``forward`` asks which classes an image shows; it is then refused beside mixed labels.
        gives: the extras that it makes in training, ``logits`` or ``features``, by name, each with the arguments that
            takes; a part that asks for one with ``Activation.need`` is told of this head.
    """

    gives: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    takes_map_modifiers: bool = False
    indexes_labels: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.map_modifiers: nn.Module = nn.Sequential()

    @abstractmethod
    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps and logits of the levels; ``batch`` is there in training only, for heads that need its labels."""

    def end_pass(self) -> None:
        """Say what images seen since the last call tell about the head, in the log or as a warning; by default nothing.

        Called when a training has ended, and when an evaluation, a prediction or a stage has been through its images.
        """

    def last_look(self, activations: Iterable[Activation]) -> None:
        """Look at every training image once more with the final weights, before the last checkpoint is written.

        Args:
            activations: what the model makes of the training images in eval mode, batch by batch; nothing is computed
                where they are not asked for, as by default.
        """

    def findings(self) -> dict[str, float]:
        """Return named numbers by which a training judges its own result, kept with the weights; none by default."""
        return {}

    @property
    def maps_at_rest(self) -> bool:
        """Whether the modifiers on the maps leave them as they are in eval mode."""
        return all(isinstance(each, MapModifier) and each.train_only for each in self.map_modifiers.children())

    @property
    def class_weights(self) -> Tensor | None:
        """The (K, C) weights of a linear classifier over pooled ``Activation.features``, or None."""
        return None

    @property
    def mean_weights(self) -> Tensor | None:
        """The (K, C) weights by which the mean of ``Activation.features`` becomes the logits, but for a bias, or None.

        Then the gradient of a logit is known without a backward pass: the weights divided by the number of cells.
        """
        return None

    def from_authors(self, checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
        """Return this head's state dict from a checkpoint of the authors' own code, or None where it is no such one.

        The backbone reads the same file as its ``weights``. None by default.

        Args:
            checkpoint: its entries; ``state_dict`` holds tensors by name, without the prefix of a parallel wrapper.
        """
        return None


class Model(Protocol):
    """What parts may use of the assembled model, a ``Localizer``.

    Attributes:
        backbone: makes feature levels of images.
        head: makes maps and logits of feature levels.
        image_modifiers: the modifiers on the images, in order.
        data_preprocessor: what turned uint8 batches into normalised images.
        cam_method: makes score maps.
        box_extractor: finds boxes in score maps.
    """

    backbone: Backbone
    head: ActivationHead
    image_modifiers: nn.Sequential
    data_preprocessor: nn.Module
    cam_method: CamMethod
    box_extractor: BoxExtractor

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""

    def activate(self, images: Tensor, batch: Batch | None = None) -> Activation:
        """Run backbone and head on normalised images (B, 3, H, W)."""


class CamMethod(Checked, ABC):
    """Makes score maps in [0, 1] for given classes of given images.

    Subclasses override ``raw_maps``; resizing to the input and normalising is done here.

    Args:
        resize: how cells become pixels, ``bicubic`` (as wsolevaluation), ``bilinear`` or ``none``.
        normalize: ``minmax``, ``max`` (negative scores cut off, divided by the maximum) or ``none`` (clamped).

    Attributes:
        takes_labels: ``one`` where maps of several classes of one image say little, which is warned of.
        otherwise: what a refusal of ``Activation.need`` advises beside another head.
    """

    otherwise: ClassVar[str] = "take cam_method=dict(type='HeadMaps')"
    takes_labels: ClassVar[LabelKind] = ANY

    def __init__(self, resize: MapResize = "bicubic", normalize: MapNormalize = "minmax") -> None:
        self.resize, self.normalize = resize, normalize

    @abstractmethod
    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) of any range for ``classes`` (B,) or (B, T).

        ``activation`` is what the model made of these images where that is known already, to save a forward pass.
        """

    def check(self, model: Model) -> None:
        """Refuse a model whose parts have no place that the method looks at; called when the model is built."""

    def activate(self, model: Model, images: Tensor) -> Activation:
        """Return what the model makes of images of which maps will be asked for.

        A method that needs more of the pass, such as gradients, keeps it as ``tape`` and finds it in ``raw_maps``.
        """
        return model.activate(images)

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor | None:
        """Return the raw maps of every class, (B, K, h, w), or (B, 1, h, w) for a map that serves all; None by default.

        ``wsolkit export`` writes a model with a CAM method that has them: made without gradients, by tensor operations
        that ask for no value on their way.
        """
        return None

    def one_sided(self) -> CamMethod:
        """Return the method that makes an image's maps of the image alone, without its mirror image; itself by default.

        Maps that are averaged with the mirror image's cannot tell how far the two agree.
        """
        return self

    def panels(self, model: Model, images: Tensor, label: int, activation: Activation) -> Sequence[Panel]:
        """Return pictures of what the map of one image (1, 3, H, W) is made of; none by default.

        ``wsolkit predict --panels`` draws them.

        Args:
            model: the model.
            images: (1, 3, H, W), normalised.
            label: the class that is asked for.
            activation: what the model made of the image.
        """
        return ()

    def __call__(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return score maps in [0, 1], (B, H, W) or (B, T, H, W).

        Raises:
            MapError: a map holds NaN or infinity.
            ShapeError: the maps are not one for each class that was asked for.
        """
        raw = checked_raw_maps(self.raw_maps(model, images, classes, activation), self, classes)
        return finish_maps(raw, (images.shape[-2], images.shape[-1]), self.resize, self.normalize)
