"""The assembled model: backbone, modifiers, head and losses for training, CAM method and box extractor for use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from wsolkit.arguments import Checked, check_value
from wsolkit.components.backbones.plain_errors import plain_size_errors
from wsolkit.errors import ConfigError, ShapeError, noting
from wsolkit.interfaces import Activation, Batch, KnownLevels, Levels, Prediction, ScoredBoxes
from wsolkit.interfaces.shapes import checked_loss, refuse_other_logits
from wsolkit.model.attach import attach_modifiers, tell_image_size
from wsolkit.model.batch_transforms import apply_transforms, build_transforms
from wsolkit.model.classes import Chosen, classes_to_score
from wsolkit.model.folded import fold_norms
from wsolkit.model.loss_names import checked_name, free_name, snake_case
from wsolkit.model.named_places import naming_places
from wsolkit.model.places import IMAGE, MAPS, check_inner_places, check_place, modifier_for_images, modifier_for_maps
from wsolkit.model.precision import Precision, autocast_context
from wsolkit.model.scored_batch import score_images
from wsolkit.model.unreached import warn_of_unreached
from wsolkit.modules import freeze_modules, keep_resting, module_names, with_fixed_statistics, without_gradients
from wsolkit.registry import BACKBONES, BOX_EXTRACTORS, CAM_METHODS, HEADS, LOSSES, MODELS, REFINERS

__all__ = ["BOXED_IMAGES", "REFINER", "Localizer"]

BOXED_IMAGES = "boxed_images"
"""Where a checkpoint keeps, among the facts of the training, the names of the images whose boxes it saw."""

REFINER = "DenseCRFRefiner"
"""What makes masks where the configuration names nothing else."""


class Localizer(Checked, BaseModel):
    """A weakly supervised localizer, built from the parts a configuration names.

    Args:
        backbone: configuration of a ``Backbone``.
        head: configuration of an ``ActivationHead``; it is given the backbone's ``channels``.
        losses: a configuration for each ``Loss``, with an optional ``weight`` and ``name``. The log and the state dict
            call a loss by its name, by default its class in snake case; a second one of a class is ``..._2``.
        modifiers: a configuration for each ``MapModifier``, with the place it sits at: ``at="image"`` for the input,
            ``at="maps"`` for the head's maps, or the dotted name of a module of the backbone (``layer3``).
        batch_transforms: a configuration for each ``BatchTransform``; they change training batches, in this order.
        cam_method: configuration of a ``CamMethod``; the head's maps by default.
        box_extractor: configuration of a ``BoxExtractor``; the largest component by default.
        refiner: configuration of a ``Refiner``, which makes masks where prediction is asked for them; by default what
            measured best.
        data_preprocessor: configuration of what turns uint8 batches into inputs.
        precision: ``auto`` (bf16 where it is fast), ``bf16`` or ``fp32``. Weights and losses stay float32.
        channels_last: lay weights and images out with the channels innermost.
        freeze: dotted names of modules of the backbone that training leaves as they are, batch statistics included.
        norm_eval: dotted names of modules of the backbone whose batch norms keep their running statistics in training;
            their weights are trained, unless ``freeze`` names them too.
        compile: compile the backbone with ``torch.compile``; a dict gives its options (``dict(backend="eager")``).
        init_cfg: mmengine's initialisation configuration.

    Attributes:
        trained_with: what the losses see beside images: ``labels``, or ``boxes`` in a subclass that hands them boxes
            which people drew. A table says so, and no image that it is trained on may be judged.
        boxed_images: names of the images whose boxes it has seen in training, each behind its split.

    Raises:
        ConfigError: a part is unknown or does not fit.
    """

    trained_with: ClassVar[str] = "labels"

    def __init__(
        self,
        backbone: Any,
        head: Any,
        losses: Sequence[Any] = (),
        modifiers: Sequence[Mapping[str, Any]] = (),
        cam_method: Any = None,
        box_extractor: Any = None,
        data_preprocessor: Any = None,
        precision: Precision = "auto",
        channels_last: bool = True,
        freeze: Sequence[str] = (),
        norm_eval: Sequence[str] = (),
        compile: bool | Mapping[str, Any] = False,
        init_cfg: Any = None,
        refiner: Any = None,
        batch_transforms: Sequence[Any] = (),
    ) -> None:
        lists = {"losses": losses, "modifiers": modifiers, "batch_transforms": batch_transforms}
        for name, given in {**lists, "freeze": freeze, "norm_eval": norm_eval}.items():
            if isinstance(given, (str, Mapping)):
                raise ConfigError(f"model.{name} is a list, but got {given!r}. Put it into brackets: [{given!r}].")
        preprocessor = data_preprocessor or {"type": "ImagePreprocessor"}
        if isinstance(preprocessor, Mapping) and preprocessor.get("type") == "ImagePreprocessor":
            preprocessor = {"channels_last": channels_last, **preprocessor}
        super().__init__(data_preprocessor=MODELS.build(preprocessor), init_cfg=init_cfg)
        self.backbone = BACKBONES.build(backbone)
        self.head = self._build_head(head)
        self.losses = nn.ModuleDict()
        self.loss_weights: dict[str, float] = {}
        for loss in losses:
            self._add_loss(loss)
        self.image_modifiers = nn.Sequential()
        inside = [modifier for modifier in modifiers if not self._placed_outside(modifier)]
        self.feature_modifiers = attach_modifiers(self.backbone, inside)
        for config, modifier in zip(inside, self.feature_modifiers.values(), strict=True):
            check_inner_places(modifier, config["at"])
        self.batch_transforms = build_transforms(batch_transforms, self)
        self.cam_method = CAM_METHODS.build(cam_method or {"type": "HeadMaps"})
        self.cam_method.check(self)
        self.box_extractor = BOX_EXTRACTORS.build(box_extractor or {"type": "LargestComponent"})
        self.refiner = REFINERS.build(refiner or {"type": REFINER})
        self.precision = precision
        self.progress = 0.0
        self.begins_pass = False
        self._looked_for_unreached = False
        self._looked_for_norms = bool(compile)  # a compiled backbone is not watched
        self.frozen = freeze_modules(self.backbone, freeze)
        self.fixed_norms = module_names(self.backbone, norm_eval)
        self.threshold_source: str | None = None
        self.boxed_images: frozenset[str] = frozenset()
        self.register_buffer("chosen_threshold", torch.tensor(float("nan")))
        autocast_context(precision, torch.device("cpu"))  # complains about an unknown precision now, not at step one
        if channels_last:
            self.to(memory_format=torch.channels_last)
        if compile:
            self.backbone.compile(**({} if compile is True else compile))

    def _build_head(self, config: Any) -> Any:
        """Build the head; its complaints about the levels it is given name the backbone, which it does not know."""
        network = type(self.backbone).__name__
        kind = str(config.get("type")) if isinstance(config, Mapping) else ""
        with noting(f"The backbone is {network}.", kind, network, only=kind):
            return HEADS.build({**config, "channels": dict(self.backbone.channels)} if kind else config)

    def _add_loss(self, config: Any) -> None:
        given = dict(config) if isinstance(config, Mapping) else {}
        weight, name = given.pop("weight", 1.0), given.pop("name", None)
        loss = LOSSES.build(given if isinstance(config, Mapping) else config)
        kind = type(loss).__name__
        check_value(f"The weight of {kind}", weight, float)
        name = free_name(snake_case(kind), self.losses) if name is None else checked_name(name, kind, self.losses)
        self.losses[name] = loss
        self.loss_weights[name] = float(weight)

    def _placed_outside(self, config: Mapping[str, Any]) -> bool:
        """Put a modifier on the images or the head's maps, or say that it belongs inside the backbone."""
        config = dict(config)
        place = config.pop("at", None)
        check_place(config, place, self.backbone, self.head)
        if place == IMAGE:
            self.image_modifiers.append(modifier_for_images(config, self.data_preprocessor))
        elif place == MAPS:
            self.head.map_modifiers.append(modifier_for_maps(config, self.head, self.backbone.channels))
        return place in (IMAGE, MAPS)

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    def train(self, mode: bool = True) -> Localizer:
        """Switch to training or evaluation; frozen modules and norms that are not to learn stay in evaluation."""
        super().train(mode)
        keep_resting(self.backbone, self.frozen, self.fixed_norms)
        return self

    def activate(self, images: Tensor | KnownLevels, batch: Batch | None = None) -> Activation:
        """Run backbone and head on normalised images (B, 3, H, W); maps and logits come back in float32.

        Where the backbone's levels are known, only the head is run, and what of the backbone comes after them. The head
        may run the rest of the backbone again, see ``Levels.run_from``.

        Raises:
            ShapeError: the images do not fit the network.
            DataError: a batch norm has one value for each channel to train on.
        """
        if not isinstance(images, KnownLevels) and (images.ndim != 4 or images.shape[1] != 3):
            raise ShapeError(f"Images should be (B, 3, H, W), but got {tuple(images.shape)}.")
        network = str(getattr(self.backbone, "name", type(self.backbone).__name__))
        with (
            autocast_context(self.precision, images.device),
            naming_places(self.named_modifiers(), self.backbone, self.head),
            plain_size_errors(network, images),
        ):
            found: Activation = self.head(self.levels_of(images), batch)
            refuse_other_logits(found.logits, self.head)
            found.head = type(self.head).__name__
            return found

    def levels_of(self, images: Tensor | KnownLevels) -> Levels:
        """Run the backbone alone, as ``activate`` does, on normalised images (B, 3, H, W) or from known levels on."""
        with autocast_context(self.precision, images.device):
            found = self._rest_of(images) if isinstance(images, KnownLevels) else self.backbone(self._seen(images))
            return Levels(found, self._run_again)

    def levels_to(self, level: str, images: Tensor) -> Levels:
        """Run the backbone up to a level alone, on normalised images (B, 3, H, W); see ``Backbone.run_to``."""
        with autocast_context(self.precision, images.device):
            return Levels(self.backbone.run_to(level, self._seen(images)))

    def _seen(self, images: Tensor) -> Tensor:
        """Return images as the backbone sees them."""
        images = images.to(next(self.backbone.parameters(), images).dtype)  # a model may be of half precision
        seen: Tensor = self.image_modifiers(images)
        self._fold_norms(seen)
        return seen

    def _rest_of(self, known: KnownLevels) -> Mapping[str, Tensor]:
        """Return the levels of a backbone of which some are known."""
        if known.place is None:
            return known.levels
        tell_image_size(self.backbone, known.size)
        found = {**known.levels, **self._run_from(known.place, known.levels[known.place], known.levels)}
        return {name: found[name] for name in self.backbone.channels}

    def _run_from(self, level: str, maps: Tensor, first: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the rest of the backbone on maps in its own number format."""
        found: dict[str, Tensor] = self.backbone.run_from(
            level, maps.to(next(self.backbone.parameters(), maps).dtype), first
        )
        return found

    def _run_again(self, level: str, maps: Tensor, first: Mapping[str, Tensor], learns: bool) -> dict[str, Tensor]:
        """Run the rest of the backbone for the head; errors name both."""
        head, backbone = type(self.head).__name__, type(self.backbone).__name__
        with noting(f"Here {head} runs {backbone} again.", head, backbone):
            after = () if learns else self.backbone.modules_after(level)
            norms = with_fixed_statistics(self.backbone, self.feature_modifiers)  # those of whole images are in use
            with norms, without_gradients(self.backbone, after):
                return self._run_from(level, maps, first)

    def _fold_norms(self, images: Tensor) -> None:
        """Fold the backbone's norms into its convolutions, the first time that all of it is at rest."""
        if self._looked_for_norms or not len(images):
            return
        parts = [*self.backbone.children(), *self.feature_modifiers.values()]
        if not any(each.training for part in parts for each in part.modules()):
            self._looked_for_norms = True
            fold_norms(self.backbone, images)

    def forward(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        image_ids: Sequence[str] = (),
        mode: str = "tensor",
        logits: Tensor | None = None,
        extras: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        """Run the model as mmengine asks: ``loss`` for training, ``predict`` for evaluation, ``tensor`` for maps."""
        if mode == "loss":
            return self.loss(Batch(inputs, labels, image_ids, self.progress, self.begins_pass, extras or {}))
        if mode == "predict":
            return self.predict(inputs, labels, image_ids, logits)
        return self.activate(inputs)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the named losses of a training batch, weighted, and the modifiers' numbers for the log."""
        if self.training:
            batch = apply_transforms(self.batch_transforms, batch)
        activation = self.activate(batch.images, batch)
        values: dict[str, Tensor] = {}
        for name, loss in self.losses.items():
            found = self._score(loss, activation, batch)
            for part, value in (found if isinstance(found, dict) else {"": found}).items():
                key = f"loss_{name}_{part}".rstrip("_")
                if key in values:
                    raise ConfigError(f"Two losses write {key!r} into the log. Give one of them another name=....")
                values[key] = self.loss_weights[name] * checked_loss(value, loss)
        for name, modifier in self.named_modifiers():
            for key, number in modifier.scalars().items():
                values[f"{name}/{key}"] = torch.as_tensor(number, device=batch.images.device)
        return values

    def _score(self, loss: nn.Module, activation: Activation, batch: Batch) -> Any:
        """Call a loss; its complaints name the head as well, which it does not know."""
        kind, head = type(loss).__name__, type(self.head).__name__
        with noting(f"The loss is {kind}, the head {head}.", kind, head):
            return loss(activation, batch)

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Add up the losses alone, whatever the modifiers' numbers beside them are called."""
        total, log = super().parse_losses({name: value for name, value in losses.items() if name.startswith("loss_")})
        if total.requires_grad and not self._looked_for_unreached:
            self._looked_for_unreached = True
            warn_of_unreached(self, total)
        log.update({name: value for name, value in losses.items() if not name.startswith("loss_")})
        return total, log

    def named_modifiers(self) -> list[tuple[str, Any]]:
        """Return the modifiers by their names in the log: ``image``, ``features`` or ``maps``, then the place."""
        groups = {IMAGE: self.image_modifiers, "features": self.feature_modifiers, MAPS: self.head.map_modifiers}
        return [
            (f"{group}.{name}", module)
            for group, modules in groups.items()
            for name, module in modules.named_children()
        ]

    @torch.no_grad()
    def predict(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        image_ids: Sequence[str] = (),
        logits: Tensor | None = None,
    ) -> list[Prediction]:
        """Return logits and score maps: of the labelled and the predicted classes, or of the likeliest without labels.

        A class is predicted where it is the likeliest of an image with one label, or likelier than not in multi-label
        data; metrics need both, the labelled classes come first.

        Args:
            images: (B, 3, H, W), normalised.
            labels: (B,) indices, (B, K) multi-hot, or None.
            image_ids: names of the images.
            logits: (B, K) class scores that decide in the place of the model's own, such as those of several crops.

        Raises:
            MapError: logits or maps are NaN or infinite; names the image.
            WsolkitError: the device has no memory for so many images.
        """
        names = image_ids or [str(number) for number in range(len(images))]

        def choose(activation: Activation) -> Chosen:
            seen = activation if logits is None else Activation(lambda: activation.maps, logits)
            return classes_to_score(seen, labels)

        scored = score_images(self, images, names, choose)
        maps, activation = scored.all_maps(), scored.activation
        logits = activation.logits if logits is None else logits
        return [
            Prediction(
                image_id=names[row],
                logits=None if logits is None else logits[row],
                classes=scored.classes[row, :count],
                maps=maps[row, :count],
                features=None if activation.features is None else activation.features[row],
            )
            for row, count in enumerate(scored.counts)
        ]

    def boxes(self, score_map: Tensor, features: Tensor | None = None) -> ScoredBoxes:
        """Return the scored boxes of one score map (H, W), in pixels of the map."""
        last = None if features is None else features.float().cpu().numpy()
        return self.box_extractor(score_map.float().cpu().numpy(), last)
