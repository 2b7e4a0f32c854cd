"""Batch transforms change training batches before the forward pass, are held against other parts, and told classes."""

from dataclasses import replace

import pytest
import torch

from wsolkit import BatchTransform, ConfigError, KnownLevels, Loss, ShapeError
from wsolkit.config.classes import fill_classes, with_class_facts
from wsolkit.config.load import load_config
from wsolkit.interfaces import ActivationHead, Batch, MapModifier
from wsolkit.model.batch_transforms import apply_transforms
from wsolkit.model.localizer import Localizer
from wsolkit.registry import BATCH_TRANSFORMS

BACKBONE = {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer4"]}
HEAD = {"type": "LinearHead", "num_classes": 3}


class Twice(BatchTransform):
    """Repeats the batch, the second time without images."""

    def __call__(self, batch):
        images = torch.cat([batch.images, torch.zeros_like(batch.images)])
        labels = torch.cat([batch.labels, batch.labels])
        return replace(batch, images=images, labels=labels, image_ids=[*batch.image_ids, *batch.image_ids])


class Half(BatchTransform):
    """Gives every image half of the label of the next."""

    mixes_labels = True
    reads_pixels = False

    def __init__(self, num_classes: int, class_names: list[str]) -> None:
        self.num_classes, self.class_names = num_classes, class_names

    def __call__(self, batch):
        rows = torch.eye(self.num_classes)[batch.labels]
        return replace(batch, labels=(rows + rows.roll(1, 0)) / 2)


class Answers(BatchTransform):
    """Returns what it was told to."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer

    def __call__(self, batch):
        return self.answer


class Labelled(Loss):
    """Looks the class of an image up."""

    indexes_labels = True

    def forward(self, activation, batch):
        return activation.logits[torch.arange(len(batch.labels)), batch.labels].mean()


class LabelledHead(ActivationHead):
    """Looks the class of an image up."""

    indexes_labels = True

    def __init__(self, channels: dict) -> None:
        super().__init__()

    def forward(self, levels, batch=None):
        raise AssertionError


class LabelledModifier(MapModifier):
    """Says that it looks classes up."""

    indexes_labels = True

    def modify(self, maps):
        return maps


class Seen(Loss):
    """Keeps the batch that it is given."""

    def forward(self, activation, batch):
        self.batch = batch
        return activation.logits.sum()


def batch(labels=(0, 2), **more):
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return Batch(images, torch.tensor(labels), ["a", "b"], **more)


def localizer(transforms, losses=({"type": Seen},), head=HEAD, **parts):
    return Localizer(backbone=BACKBONE, head=head, losses=losses, batch_transforms=transforms, **parts)


def test_heads_and_losses_see_what_the_transforms_make_of_a_training_batch_and_nothing_in_evaluation():
    model = localizer([{"type": Twice}, {"type": Half, "num_classes": 3, "class_names": []}])
    given = batch()
    model.loss(given)
    seen = model.losses["seen"].batch
    assert seen.images.shape == (4, 3, 64, 64)
    assert seen.image_ids == ["a", "b", "a", "b"]
    expected = [[0.5, 0, 0.5], [0.5, 0, 0.5], [0.5, 0, 0.5], [0.5, 0, 0.5]]
    assert seen.labels.tolist() == expected
    assert given.labels.tolist() == [0, 2]
    model.eval().loss(given)
    assert model.losses["seen"].batch is given


def test_the_losses_of_the_core_take_mixed_labels():
    half = {"type": Half, "num_classes": 3, "class_names": []}
    model = localizer([half], [{"type": "CrossEntropy"}, {"type": "BinaryCrossEntropy"}], precision="fp32")
    given = batch()
    model.backbone.eval()
    with torch.no_grad():
        found = model.loss(given)
        logits = model.activate(given.images).logits.double()
    wanted = torch.tensor([[0.5, 0, 0.5]] * 2, dtype=torch.double)
    soft = -(wanted * logits.log_softmax(1)).sum(1).mean()
    both = -(wanted * logits.sigmoid().log() + (1 - wanted) * (1 - logits.sigmoid()).log()).mean()
    assert float(found["loss_cross_entropy"]) == pytest.approx(float(soft), abs=1e-4)
    assert float(found["loss_binary_cross_entropy"]) == pytest.approx(float(both), abs=1e-4)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"losses": [{"type": Labelled}]}, "Labelled"),
        ({"head": {"type": LabelledHead}}, "LabelledHead"),
        ({"modifiers": [{"type": LabelledModifier, "at": "layer4"}]}, "LabelledModifier"),
        ({"losses": [{"type": "ExclusiveMaps"}]}, "ExclusiveMaps"),
        ({"losses": [{"type": "CoAug", "embedding": {"type": "TimmBackbone", "name": "test_resnet"}}]}, "CoAug"),
        ({"losses": [{"type": "ConfSeg"}]}, "ConfSeg"),
    ],
)
def test_a_transform_that_mixes_labels_is_refused_beside_a_part_that_looks_classes_up(parts, name):
    half = {"type": Half, "num_classes": 3, "class_names": []}
    with pytest.raises(ConfigError, match=rf"^Half gives an image shares of several classes, but {name} asks which"):
        localizer([half], **parts)
    localizer([{"type": Twice}], **parts)


def test_a_transform_of_pixels_is_refused_on_cached_features_and_one_of_labels_is_not():
    known = KnownLevels({"layer4": torch.zeros(2, 4, 2, 2)}, (64, 64))
    cached = replace(batch(), images=known)
    with pytest.raises(
        ConfigError, match=r"^Twice works on the pixels of images, .* Leave feature_cache out, or Twice"
    ):
        apply_transforms([Twice()], cached)
    assert apply_transforms([Half(3, [])], cached).labels.tolist() == [[0.5, 0, 0.5]] * 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (3, "Answers should return a Batch, but returned a int. Return dataclasses.replace"),
        (replace(batch(), images=torch.zeros(2, 1, 8, 8)), r"returned \(2, 1, 8, 8\). They should be \(B, 3, H, W\)"),
        (replace(batch(), labels=torch.zeros(3)), "Answers returned 2 images, but 3 of labels. Change both together."),
        (batch(extras={"pseudo_maps": torch.zeros(1, 1, 8, 8)}), "2 images, but 1 of pseudo_maps"),
    ],
)
def test_an_answer_that_is_no_batch_names_the_transform(answer, words):
    with pytest.raises(ShapeError, match=words):
        apply_transforms([Answers(answer)], batch())


def test_names_and_lists_are_checked():
    with pytest.raises(ConfigError, match=r"There is no batch transform named 'CutMixx'"):
        BATCH_TRANSFORMS.build({"type": "CutMixx"})
    with pytest.raises(ConfigError, match=r"model\.batch_transforms is a list"):
        localizer({"type": Twice})


def test_parts_that_ask_are_told_the_classes_of_the_data():
    BATCH_TRANSFORMS.register_module(name="Half", module=Half, force=True)
    try:
        options = {"model.batch_transforms": [{"type": "Half"}], "train_dataloader.dataset.num_classes": 4}
        config = fill_classes(load_config("cam_synthetic", options))
        told = config.model.batch_transforms[0]
        assert told.num_classes == len(config.classes) == config.model.head.num_classes == 4
        assert list(told.class_names) == list(config.classes)
        again = with_class_facts({"type": "Localizer", "batch_transforms": [{"type": "Half"}]}, ["owl", "wren"])
        assert again["batch_transforms"][0] == {"type": "Half", "num_classes": 2, "class_names": ["owl", "wren"]}
    finally:
        del BATCH_TRANSFORMS.module_dict["Half"]
