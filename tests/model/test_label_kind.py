"""Which labels losses and CAM methods take: several classes of an image are refused or warned of in words."""

import warnings
from types import SimpleNamespace

import pytest
import torch
import torch.utils.checkpoint

from tests.model.test_localizer import localizer
from wsolkit import Activation, Batch, CamMethod, ConfigError, Loss, MapModifier, ShapeError
from wsolkit.components.losses import BinaryCrossEntropy, CrossEntropy
from wsolkit.components.modifiers import spare_whole
from wsolkit.maps import finish_maps
from wsolkit.model.label_kind import check_losses, warn_of_maps
from wsolkit.model.unreached import unreached_parts
from wsolkit.modules import in_float32
from wsolkit.plugins.loading import load_plugins
from wsolkit.registry import MODIFIERS

IMAGES = torch.zeros(3, 3, 8, 8)


def activation():
    torch.manual_seed(0)
    return Activation(torch.randn(3, 4, 2, 2), torch.randn(3, 4))


class Records:
    """A data set of records alone."""

    def __init__(self, labels, multi_label=True):
        self.labels, self.metainfo = labels, {"multi_label": multi_label}

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, place):
        return {"image_id": f"{place}.jpg", "labels": self.labels[place]}


def test_cross_entropy_takes_indices_and_soft_labels_and_no_other_sums():
    found, soft = activation(), torch.tensor([[0.5, 0.5, 0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])
    loss = CrossEntropy()
    expected = -(torch.log_softmax(found.logits, 1) * soft).sum(1).mean()
    torch.testing.assert_close(loss(found, Batch(IMAGES, soft)), expected)
    torch.testing.assert_close(loss(found, Batch(IMAGES, soft.bfloat16())), expected)
    for row, total in (([1.0, 1, 0, 0], 2), ([0.0, 0, 0, 0], 0)):
        labels = torch.stack([soft[0], torch.tensor(row), soft[2]])
        words = (
            f"CrossEntropy takes images of one class, but the labels of image 1 of the batch add up to {total}.*Binary"
        )
        with pytest.raises(ShapeError, match=words):
            loss(found, Batch(IMAGES, labels))
        assert torch.isfinite(BinaryCrossEntropy()(found, Batch(IMAGES, labels)))


def test_every_loss_says_which_labels_it_takes():
    kinds = {
        each.cls.__name__: each.cls.takes_labels for each in load_plugins().components.values() if is_loss(each.cls)
    }
    assert {name for name, kind in kinds.items() if kind == "one"} >= {"CrossEntropy", "CoAug"}
    assert set(kinds.values()) == {"one", "any"}


def is_loss(cls):
    return isinstance(cls, type) and issubclass(cls, Loss)


def test_data_that_a_loss_cannot_take_is_found_before_a_training():
    model = localizer()
    check_losses(model, Records([[0], [2]]))  # multi-label data whose images have one class each
    check_losses(model, Records([[0], [1, 2]], multi_label=False))  # its records are not looked through
    words = "CrossEntropy takes images of one class, but this is multi-label data: image '1.jpg' has 2 classes"
    with pytest.raises(ConfigError, match=words):
        check_losses(model, Records([[0], [1, 2]]))
    check_losses(localizer(losses=[{"type": "BinaryCrossEntropy"}]), Records([[0], [1, 2]]))


def test_maps_that_tell_no_classes_apart_are_warned_of_on_multi_label_data():
    class OneClass(CamMethod):
        takes_labels = "one"

        def raw_maps(self, model, images, classes, activation=None): ...

    with pytest.warns(UserWarning, match="OneClass is for images of one class, but this is multi-label data"):
        warn_of_maps(OneClass(), True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_maps(OneClass(), False)
        warn_of_maps(localizer().cam_method, True)


def test_losses_and_maps_under_autocast_are_those_of_float32():
    found = activation()
    batch = Batch(IMAGES, torch.tensor([0, 1, 3]))
    maps = torch.rand(2, 5, 7) * 100

    class Products(Loss):
        def forward(self, activation, batch):
            return (activation.logits @ activation.logits.T).exp().log().sum()

    plain = [loss(found, batch) for loss in (CrossEntropy(), BinaryCrossEntropy(), Products())]
    sizes = finish_maps(maps, (20, 30))
    with torch.autocast("cpu", torch.bfloat16):
        under = [loss(found, batch) for loss in (CrossEntropy(), BinaryCrossEntropy(), Products())]
        torch.testing.assert_close(finish_maps(maps, (20, 30)), sizes, rtol=0, atol=0)
    assert [float(value) for value in under] == [float(value) for value in plain]


def test_parts_that_no_loss_reaches_are_named_once():
    class Blind(Loss):
        def forward(self, activation, batch):
            return activation.features.mean()

    model = localizer(losses=[Blind()]).train()
    with pytest.warns(UserWarning, match="No loss reaches head: they keep the numbers they began with"):
        model.parse_losses(model.loss(Batch(torch.randn(2, 3, 16, 12), torch.tensor([0, 1]))))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.parse_losses(model.loss(Batch(torch.randn(2, 3, 16, 12), torch.tensor([0, 1]))))
        other = localizer().train()
        other.parse_losses(other.loss(Batch(torch.randn(2, 3, 16, 12), torch.tensor([0, 1]))))


def test_a_single_parameter_that_is_not_reached_is_named_and_frozen_ones_are_not():
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 1), "b": torch.nn.Linear(2, 1).requires_grad_(False)})
    loss = (model["a"].weight * torch.ones(1, 2)).sum()
    assert unreached_parts(model, loss) == ["a.bias"]


def test_nothing_is_said_of_modules_whose_activations_are_made_again():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    found = torch.utils.checkpoint.checkpoint(model[1], model[0](torch.ones(1, 2)), use_reentrant=True)
    assert unreached_parts(model, found.sum()) == []


@pytest.mark.parametrize("at", ["deep", "image"])
def test_a_modifier_inside_another_one_keeps_to_its_place(at):
    class Outer(MapModifier):
        def __init__(self, hide):
            super().__init__()
            self.hide = MODIFIERS.build(hide)

        def modify(self, maps):
            return self.hide(maps)

    class OnMaps(Outer):
        only_at = "maps"

        def __init__(self):
            MapModifier.__init__(self)

    known = dict(MODIFIERS.module_dict)
    MODIFIERS.register_module(name="Outer", module=Outer)
    MODIFIERS.register_module(name="OnMaps", module=OnMaps)
    modifier = {"type": "Outer", "hide": {"type": "OnMaps"}}
    try:
        with pytest.raises(ConfigError, match=f"OnMaps works at='maps' alone, but sits inside Outer at='{at}'"):
            localizer(modifiers=[{**modifier, "at": at}])
        assert localizer(head={"type": "ConvHead", "num_classes": 3}, modifiers=[{**modifier, "at": "maps"}])
    finally:
        MODIFIERS.module_dict.clear()
        MODIFIERS.module_dict.update(known)


def test_an_image_of_which_nothing_would_be_left_is_spared():
    keep = torch.tensor([[[True, False], [False, False]], [[False, False], [False, False]]])
    assert spare_whole(keep).int().tolist() == [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_predicts_as_in_full(kind):
    images = torch.randn(2, 3, 16, 12)
    for head in ({"type": "LinearHead", "num_classes": 3}, {"type": "ConvHead", "num_classes": 3}):
        model = localizer(head=head).eval()
        plain = model.predict(images)[0]
        half = model.to(kind).predict(images)[0]
        assert half.logits.dtype == half.maps.dtype == torch.float32
        torch.testing.assert_close(half.logits, plain.logits, atol=0.02, rtol=0.05)


def test_a_module_of_half_precision_computes_in_float32():
    module = torch.nn.Linear(64, 1).half()
    values = torch.full((1, 64), 500.0)
    expected = (values.double() @ module.weight.double().T + module.bias.double()).float()
    torch.testing.assert_close(in_float32(module, values), expected, rtol=1e-6, atol=1e-3)
    assert module.weight.dtype == torch.float16


def test_an_extractor_that_chooses_its_own_threshold_is_asked_once():
    from wsolkit import BoxExtractor, ScoredBoxes

    class Chooses(BoxExtractor):
        chooses_threshold = True
        calls = 0

        def __call__(self, score_map, features=None):
            self.calls += 1
            boxes = score_map[:1, :4] if score_map.any() else score_map[:0, :4]
            return ScoredBoxes(boxes, boxes[:, 0])

    extractor = Chooses()
    maps = SimpleNamespace(full=torch.tensor([[1.0, 2, 3, 4]] * 4).numpy(), empty=torch.zeros(4, 4).numpy())
    assert extractor.sweep(maps.full, [0.1, 0.2, 0.3]).tolist() == [[1, 2, 3, 4]] * 3
    assert extractor.calls == 1
    assert extractor.sweep(maps.empty, [0.1, 0.2]).tolist() == [[0, 0, 0, 0]] * 2
