"""The data set class that every layout derives from: records in, samples out.

A sample is a dict with ``inputs`` (3, H, W) uint8, ``labels`` (an index, or a (K,) float vector for multi-label data),
``image_ids``, ``extras`` where there are pseudo maps and, only where ``load_targets`` is set, ``targets``. Everything
random about a sample is drawn from the seed, the epoch and the sample's index alone, so a resumed run sees what an
uninterrupted one would have seen.

Coordinates are those of the image as it is displayed: EXIF orientation is applied to images, and boxes and masks are
taken to be drawn on the upright image. Boxes are half open, whatever the layout on disk has. A layout that says how
large an image is gives its boxes in that size; where the stored file has another one, they are scaled to the file.
"""

from __future__ import annotations

import inspect
import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from torchvision import tv_tensors

from wsolkit.arguments import Checked
from wsolkit.datasets.class_groups import read_class_groups
from wsolkit.datasets.decode import read_image
from wsolkit.datasets.geometry import PROBES, try_pipeline
from wsolkit.datasets.layouts.layout import Metadata, Understood
from wsolkit.datasets.pseudo_maps import PseudoMaps
from wsolkit.datasets.record import Record, checked_class_names
from wsolkit.datasets.targets import image_targets
from wsolkit.datasets.transforms import build_pipeline
from wsolkit.errors import ConfigError, DataError
from wsolkit.interfaces import Targets

__all__ = ["ImageDataset"]


class ImageDataset(Checked, BaseDataset):
    """Images with image-level labels, and boxes or masks for evaluation only.

    Subclasses override ``load_records`` (and ``read_mask`` where the layout has masks) and set ``multi_label``.

    Args:
        data_root: folder the layout's paths are relative to.
        split: the part to read, by the layout's own name.
        pipeline: torchvision v2 transforms, as configurations or objects; they see ``image`` and, where
            ``load_targets`` and ``transform_targets`` are set, ``boxes`` and ``masks``.
        load_targets: read boxes and masks. False for training data: a training batch cannot see them.
        transform_targets: carry boxes and masks through the pipeline and put them into the sample as ``boxes``,
            ``box_labels`` and ``masks``, for methods that train on pseudo boxes.
        on_corrupt: ``error`` stops at an unreadable image, ``skip`` takes the next readable one and remembers it.
        seed: seed of everything random about the samples.
        test_mode: set for validation and test splits; a corrupt image is an error there.
        indices: use only the first so many records, or the given ones.
        pseudo_maps: folder of score maps that an earlier stage has made of the images (``wsolkit.formats``). They go
            through the pipeline with the images, as masks do, and reach parts as ``Batch.extras["pseudo_maps"]``
            (B, 1, H, W) in [0, 1], the largest score of an image's classes. For training alone.
        class_groups: table of a hierarchy of the classes below ``data_root``, a line for each: its name, then its
            groups from coarse to fine. Told to parts of the model that take ``class_groups``.

    Raises:
        ConfigError: ``pseudo_maps`` is a file of annotations, or given for an evaluation.
        DataError: the data is missing or contradicts itself.
    """

    multi_label: bool = False
    images_found: int = 0
    """How many images the split has, of which ``indices`` may leave some out."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Show the arguments a layout passes on to this class in its signature, so that a misspelt one is noticed."""
        super().__init_subclass__(**kwargs)
        cls.__signature__ = inherited_signature(cls)

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        pipeline: Sequence[Any] = (),
        load_targets: bool = False,
        transform_targets: bool = False,
        on_corrupt: Literal["error", "skip"] = "error",
        seed: int = 0,
        test_mode: bool = False,
        indices: int | Sequence[int] | None = None,
        pseudo_maps: str | None = None,
        class_groups: str | None = None,
    ) -> None:
        if pseudo_maps is not None and test_mode:
            raise ConfigError("pseudo_maps are for training, but the data set is of an evaluation. Leave them out.")
        self.split = split
        self.class_groups = None if class_groups is None else Path(data_root, class_groups)
        self.load_targets = load_targets
        self.transform_targets = transform_targets
        self.on_corrupt = on_corrupt
        self.seed = seed
        self.transforms = build_pipeline(pipeline)
        if self.transforms is not None and load_targets and test_mode and not transform_targets:
            for size in PROBES:  # boxes found in the output are compared with those of the whole image
                try_pipeline(self.transforms, size)
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        super().__init__(data_root=data_root, test_mode=test_mode, indices=indices, pipeline=[])
        self._corrupt = torch.zeros(len(self), dtype=torch.bool).share_memory_()
        names = (self.record(index)["image_id"] for index in range(len(self)))
        self.pseudo_maps = None if pseudo_maps is None else PseudoMaps(pseudo_maps, self.classes, names)

    @classmethod
    def steps_for_others(cls, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the pipeline that makes images from elsewhere like those of this data set, where it has none.

        Prediction asks for it. A layout of image files has nothing to say; one that makes its images says their size.

        Args:
            settings: the data set's configuration.
        """
        return []

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return the split that ``wsolkit evaluate --metadata`` names, or None where it is not in this layout.

        By overriding this a layout is read by ``wsolkit evaluate`` and ``wsolkit boxes``, which ask the data sets of
        plugins where the path is in none of wsolkit's own layouts. Build the data set with
        ``load_targets=metadata.targets`` and ``test_mode=True``; what nobody said is None.

        Raises:
            ConfigError: it is in this layout, but there is no such split.
        """
        return None

    @abstractmethod
    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""

    def understood(self) -> Understood:
        """Return how the folders were understood, for ``wsolkit data check``; nothing where none are guessed at."""
        return Understood()

    def read_mask(self, record: Record) -> np.ndarray | None:
        """Return the (H, W) uint8 class mask (0 background, k + 1 class k, 255 ignored), or None without masks."""
        return None

    def read_image(self, record: Record) -> torch.Tensor:
        """Return the image as (3, H, W) uint8, EXIF orientation applied.

        Raises:
            DataError: the file is missing or no image.
        """
        return read_image(record["image_path"])

    def load_data_list(self) -> list[dict]:
        """Fill mmengine's list; see ``load_records``."""
        records, classes = self.load_records()
        if not records:
            if self.split == "all":
                raise DataError(
                    f"There are no photographs in {self.data_root}, nor in its folders. Check the path, and that their "
                    "names end as those of images do (.jpg, .png, ...)."
                )
            raise DataError(
                f"{type(self).__name__} found no images for split {self.split!r} in {self.data_root!r}. "
                "Check data_root and the split."
            )
        if self.multi_label and not any(record["labels"] for record in records):
            warnings.warn(
                f"None of the {len(records)} images of split {self.split!r} shows a class: a classifier learns nothing "
                "of them. Check the annotations and the class names.",
                stacklevel=2,
            )
        self.images_found = len(records)
        self._metainfo["classes"] = checked_class_names(classes)
        self._metainfo["multi_label"] = self.multi_label
        if self.class_groups is not None:
            self._metainfo["class_groups"] = read_class_groups(self.class_groups, self._metainfo["classes"])
        return [dict(record) for record in records]

    def _join_prefix(self) -> None:
        """Leave paths alone: ``load_records`` returns paths that can be opened."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by index."""
        return self._metainfo["classes"]  # metainfo itself is a deep copy at every call

    def record(self, index: int) -> Record:
        """Return the record of one image."""
        info = self.get_data_info(index)
        info.pop("sample_idx", None)
        return info

    def set_epoch(self, epoch: int) -> None:
        """Draw the samples' randomness from another epoch, also in workers that run already."""
        self._epoch.fill_(epoch)

    def targets(self, record: Record, size: tuple[int, int]) -> Targets:
        """Return what evaluation may see of an image whose file is ``size`` = (width, height) large.

        Raises:
            DataError: the layout's size for the image is that of the image lying on its side, or a mask is unreadable.
        """
        return image_targets(record, size, self.read_mask(record))

    def label_tensor(self, record: Record) -> torch.Tensor:
        """Return the label as an index (), or as a multi-hot vector (K,) for multi-label data."""
        if not self.multi_label:
            return torch.tensor(record["labels"][0])
        vector = torch.zeros(len(self.classes))
        vector[record["labels"]] = 1.0
        return vector

    def seed_of(self, index: int) -> int:
        """Return the seed of everything random about a sample in this epoch."""
        return hash((self.seed, int(self._epoch), index)) & (2**63 - 1)

    def note_corrupt(self, index: int) -> None:
        """Remember that an image cannot be read."""
        self._corrupt[index] = True

    def sample(self, index: int) -> dict[str, Any]:
        """Read one image and run the pipeline on it.

        Raises:
            DataError: the image cannot be read.
        """
        record = self.record(index)
        image = self.read_image(record)
        height, width = image.shape[-2:]
        bundle: dict[str, Any] = {"image": tv_tensors.Image(image)}
        targets = self.targets(record, (width, height)) if self.load_targets else None
        if targets is not None and self.transform_targets:
            bundle["boxes"] = tv_tensors.BoundingBoxes(
                torch.from_numpy(targets.boxes), format="XYXY", canvas_size=(height, width)
            )
            bundle["box_labels"] = torch.from_numpy(targets.box_labels)
            if targets.mask is not None:
                bundle["masks"] = tv_tensors.Mask(torch.from_numpy(targets.mask))
        if self.pseudo_maps is not None:
            bundle["pseudo_maps"] = tv_tensors.Mask(
                torch.from_numpy(self.pseudo_maps.of(record, (height, width)))[None]
            )
        if self.transforms is not None:
            # A stream of its own for each (seed, epoch, sample): nothing depends on the order of reading.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(self.seed_of(index))
                bundle = self.transforms(bundle)
        sample: dict[str, Any] = {
            "inputs": bundle.pop("image").as_subclass(torch.Tensor),
            "labels": self.label_tensor(record),
            "image_ids": record["image_id"],
        }
        if self.pseudo_maps is not None:
            sample["extras"] = {"pseudo_maps": bundle.pop("pseudo_maps").as_subclass(torch.Tensor)}
        if targets is not None:
            sample["targets"] = targets
        return sample | {key: value.as_subclass(torch.Tensor) for key, value in bundle.items()}

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return a sample; where ``on_corrupt`` says so, the next readable one for an unreadable image."""
        if not self._fully_initialized:
            self.full_init()
        for offset in range(len(self)):
            current = (index + offset) % len(self)
            try:
                return self.sample(current)
            except DataError:
                if self.test_mode or self.on_corrupt == "error":
                    raise
                self.note_corrupt(current)
        raise DataError(f"None of the {len(self)} images of split {self.split!r} can be read.")

    def corrupt(self) -> list[str]:
        """Return the paths of the images that were skipped so far, in any worker."""
        return [self.record(index)["image_path"] for index in torch.nonzero(self._corrupt).flatten().tolist()]


def inherited_signature(cls: type) -> inspect.Signature:
    """Return the signature of a class with its ``**options`` written out as the arguments of its parents.

    >>> class Photos(ImageDataset):
    ...     def __init__(self, sorted_by: str = "date", **options) -> None: ...
    >>> list(inspect.signature(Photos).parameters)[:3]
    ['sorted_by', 'data_root', 'split']
    """
    found: dict[str, inspect.Parameter] = {}
    for parent in cls.__mro__:
        if "__init__" not in vars(parent):
            continue
        parameters = list(inspect.signature(vars(parent)["__init__"]).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        found |= {p.name: p.replace(kind=p.KEYWORD_ONLY) for p in named if p.name not in found}
        if len(named) == len(parameters):
            break
    return inspect.Signature(list(found.values()))
