"""The assembled model: parts meet, losses add up, precision and layout do what they say, mistakes are explained."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from wsolkit import Backbone, Batch, ConfigError, Loss, MapError, MapModifier, ShapeError
from wsolkit.components.heads import LinearHead
from wsolkit.components.losses import BinaryCrossEntropy, CrossEntropy
from wsolkit.model.localizer import Localizer


class TwoStages(Backbone):
    """Two strided convolutions."""

    def __init__(self):
        super().__init__()
        self.shallow = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.deep = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.channels = {"shallow": 4, "deep": 8}
        self.strides = {"shallow": 2, "deep": 4}

    def forward(self, images):
        shallow = self.shallow(images).relu()
        return {"shallow": shallow, "deep": self.deep(shallow).relu()}


class Halve(MapModifier):
    """Halves what passes in training."""

    def modify(self, maps):
        return maps / 2

    def scalars(self):
        return {"share": 0.5, "information_loss": 7.0}


class TwoNumbers(Loss):
    """Gives two named numbers."""

    def forward(self, activation, batch):
        return {"a": activation.maps.sum() * 0 + 2.0, "b": activation.maps.sum() * 0 + batch.progress}


def localizer(**changes):
    torch.manual_seed(0)
    settings = {
        "backbone": TwoStages(),
        "head": {"type": "LinearHead", "num_classes": 3},
        "losses": [{"type": "CrossEntropy"}],
        "precision": "fp32",
    }
    return Localizer(**{**settings, **changes})


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.randn(2, 3, 16, 12)


def test_training_steps_tell_a_bright_image_from_a_dark_one():
    model = localizer().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images = torch.stack([torch.full((3, 16, 12), 250), torch.full((3, 16, 12), 5)]).byte()
    batch = {"inputs": images, "labels": torch.tensor([0, 2]), "image_ids": ["a", "b"]}
    values = []
    for _ in range(60):
        losses = model(**model.data_preprocessor(batch, True), mode="loss")
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        values.append(total.item())
    assert values[-1] < 0.1 * values[0]


def test_losses_are_named_and_weighted(images):
    model = localizer(losses=[{"type": "CrossEntropy", "weight": 0.5}, TwoNumbers()]).train()
    model.progress = 0.25
    labels = torch.tensor([0, 2])
    losses = model(images, labels, mode="loss")
    plain = CrossEntropy()(model.activate(images), Batch(images, labels))
    assert losses["loss_cross_entropy"].item() == pytest.approx(0.5 * plain.item())
    assert (losses["loss_two_numbers_a"].item(), losses["loss_two_numbers_b"].item()) == (2.0, 0.25)


def test_maps_and_logits_come_back_in_float32_from_bf16(images):
    exact, fast = localizer(), localizer(precision="bf16")
    fast.load_state_dict(exact.state_dict())
    a, b = exact.eval().activate(images), fast.eval().activate(images)
    assert (b.maps.dtype, b.logits.dtype) == (torch.float32, torch.float32)
    assert not torch.equal(a.maps, b.maps), "bf16 arithmetic leaves a trace"
    torch.testing.assert_close(a.maps, b.maps, atol=0.02, rtol=0.05)


def test_channels_last_reaches_weights_and_inputs():
    model = localizer()
    assert model.backbone.deep.weight.is_contiguous(memory_format=torch.channels_last)
    batch = model.data_preprocessor({"inputs": torch.zeros(2, 3, 8, 8, dtype=torch.uint8)})
    assert batch["inputs"].is_contiguous(memory_format=torch.channels_last)


def test_modifiers_sit_on_image_module_and_maps(images):
    head = {"type": "ConvHead", "num_classes": 3, "bias": False}
    plain = localizer(head=head)
    for place in ("image", "deep", "maps"):
        model = localizer(head=head, modifiers=[{"type": Halve, "at": place}])
        model.load_state_dict(plain.state_dict(), strict=False)
        changed, kept = model.train().activate(images).maps, plain.train().activate(images).maps
        if place == "image":
            assert not torch.allclose(changed, kept)
        else:
            torch.testing.assert_close(changed, kept / 2)
        torch.testing.assert_close(model.eval().activate(images).maps, plain.eval().activate(images).maps)


def test_modifiers_numbers_reach_the_log(images):
    model = localizer(modifiers=[{"type": Halve, "at": "deep"}]).train()
    losses = model(images, torch.tensor([0, 1]), mode="loss")
    total, log = model.parse_losses(losses)
    assert [value.item() for name, value in log.items() if name.endswith("/share")] == [0.5]
    assert total.item() == pytest.approx(losses["loss_cross_entropy"].item())


def test_a_copy_of_the_model_uses_its_own_modifiers(images):
    model = localizer(modifiers=[{"type": Halve, "at": "deep"}])
    twin = copy.deepcopy(model).train()
    model.eval()
    alone = localizer().train()
    alone.load_state_dict(model.state_dict(), strict=False)
    assert not torch.allclose(twin.activate(images).maps, alone.activate(images).maps)


def test_a_compiled_model_keeps_names_and_numbers(images):
    plain, compiled = localizer(), localizer(compile={"backend": "eager"})
    compiled.load_state_dict(plain.state_dict())
    torch.testing.assert_close(compiled.eval().activate(images).maps, plain.eval().activate(images).maps)
    assert list(compiled.state_dict()) == list(plain.state_dict())


def test_frozen_modules_keep_weights_and_statistics(images):
    backbone = TwoStages()
    backbone.shallow = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4))
    model = localizer(backbone=backbone, freeze=["shallow"]).train()
    before = copy.deepcopy(backbone.shallow.state_dict())
    model(images, torch.tensor([0, 1]), mode="loss")["loss_cross_entropy"].backward()
    assert all(parameter.grad is None for parameter in backbone.shallow.parameters())
    assert all(parameter.grad is not None for parameter in backbone.deep.parameters())
    assert all(torch.equal(before[name], value) for name, value in backbone.shallow.state_dict().items())


def test_norms_that_are_not_to_learn_keep_their_statistics_while_weights_are_trained(images):
    backbone = TwoStages()
    backbone.shallow = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4))
    model = localizer(backbone=backbone, norm_eval=["shallow"]).train()
    before = copy.deepcopy(backbone.shallow[1].state_dict())
    model(images, torch.tensor([0, 1]), mode="loss")["loss_cross_entropy"].backward()
    assert all(parameter.grad is not None for parameter in backbone.shallow.parameters())
    assert all(torch.equal(before[name], value) for name, value in backbone.shallow[1].state_dict().items())
    assert model.eval().train().backbone.shallow[0].training
    with pytest.raises(ConfigError, match="has no module 'deeper'"):
        localizer(norm_eval=["deeper"])


def test_prediction_gives_the_labelled_class_and_the_likeliest(images):
    model = localizer().eval()
    likeliest = model.activate(images).logits.argmax(1)
    free = model(images, image_ids=["a", "b"], mode="predict")
    assert [p.classes.tolist() for p in free] == [[k] for k in likeliest.tolist()]
    told = model(images, torch.tensor([2, 0]), ["a", "b"], mode="predict")
    wanted = [[label] if label == k else [label, k] for label, k in zip((2, 0), likeliest.tolist(), strict=True)]
    assert [p.classes.tolist() for p in told] == wanted
    assert told[0].maps.shape == (len(wanted[0]), 16, 12)
    assert (told[0].maps.min(), told[0].maps.max()) == (0, 1)


def test_multi_label_prediction_gives_each_image_its_classes(images):
    model = localizer().eval()
    model.head.classifier.weight.data.zero_()
    model.head.classifier.bias.data.copy_(torch.tensor([-1.0, 1.0, -1.0]))  # class 1 is predicted in every image
    found = model(images, torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), ["a", "b"], mode="predict")
    assert [p.classes.tolist() for p in found] == [[0, 2, 1], [1]]
    model.head.classifier.bias.data[1] = -1
    found = model(images, torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), ["a", "b"], mode="predict")
    assert [p.classes.tolist() for p in found] == [[0, 2], []]
    assert found[1].maps.shape == (0, 16, 12)


def test_diverged_weights_are_an_error_not_a_box(images):
    model = localizer().eval()
    model.head.classifier.weight.data.fill_(float("nan"))
    with pytest.raises(MapError, match="hold NaN or infinity.*diverged"):
        model(images, mode="predict")


def test_a_batch_of_grey_images_is_explained():
    with pytest.raises(ShapeError, match=r"should be \(B, 3, H, W\), but got \(2, 1, 8, 8\)"):
        localizer().activate(torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"precision": "fp16"}, "precision of Localizer should be one of 'auto', 'bf16', 'fp32', but got 'fp16'"),
        ({"head": {"type": "LinaerHead", "num_classes": 3}}, "no activation head named 'LinaerHead'.*'LinearHead'"),
        ({"head": {"type": "LinearHead", "num_clases": 3}}, "takes no argument 'num_clases'.*'num_classes'"),
        ({"head": {"type": "LinearHead"}}, "LinearHead needs 'num_classes'"),
        ({"losses": {"type": "CrossEntropy"}}, r"model.losses is a list, but got .* Put it into brackets: \[\{'type'"),
        ({"freeze": "shallow"}, r"model.freeze is a list, but got 'shallow'. Put it into brackets: \['shallow'\]"),
        (
            {"losses": [{"type": "CrossEntropy", "weight": "abc"}]},
            "The weight of CrossEntropy should be a number, but got 'abc'",
        ),
        ({"losses": ["CrossEntropy"]}, r"is written as dict\(type='NAME', ...\), but got 'CrossEntropy'"),
        (
            {"losses": [CrossEntropy(), {"type": "CrossEntropy", "name": "cross_entropy"}]},
            "The name 'cross_entropy' of CrossEntropy is taken. Give .* another one, name='cross_entropy_2'",
        ),
        ({"losses": [{"type": "CrossEntropy", "name": "keys"}]}, "The name 'keys' of CrossEntropy is taken"),
        (
            {"losses": [{"type": "CrossEntropy", "name": "A.b"}]},
            "The name of a loss is a word of a-z, 0-9 and _, but CrossEntropy has 'A.b'. Write name='second'",
        ),
        ({"modifiers": [{"type": Halve}]}, "A modifier needs at="),
        ({"modifiers": [{"type": Halve, "at": "maps"}]}, "LinearHead does not make its logits from its maps"),
        ({"freeze": ["shalow"]}, "no module 'shalow'.*'shallow'"),
        ({"modifiers": [{"type": Halve, "at": "depe"}]}, "'depe'.*'deep'"),
    ],
)
def test_configuration_mistakes_are_explained(changes, words):
    with pytest.raises(ConfigError, match=words):
        localizer(**changes)


def test_losses_of_one_class_have_names_weights_and_entries_of_their_own(images):
    torch.manual_seed(0)
    smooth = {"type": "CrossEntropy", "label_smoothing": 0.5, "weight": 0.25}
    model = localizer(losses=[{"type": "CrossEntropy"}, smooth, {**smooth, "name": "third", "weight": 2.0}])
    batch = Batch(images, torch.tensor([0, 2]))
    values = model.loss(batch)
    assert list(values) == ["loss_cross_entropy", "loss_cross_entropy_2", "loss_third"]
    logits = model.activate(images).logits
    plain = functional.cross_entropy(logits, batch.labels)
    smoothed = functional.cross_entropy(logits, batch.labels, label_smoothing=0.5)
    torch.testing.assert_close(values["loss_cross_entropy"], plain)
    torch.testing.assert_close(values["loss_cross_entropy_2"], 0.25 * smoothed)
    torch.testing.assert_close(values["loss_third"], 2 * smoothed)
    total, _ = model.parse_losses(values)
    torch.testing.assert_close(total, plain + 2.25 * smoothed)


def test_two_losses_that_would_share_an_entry_of_the_log_are_refused(images):
    class Parts(Loss):
        def forward(self, activation, batch):
            return {"b": activation.logits.sum()}

    class Alone(Loss):
        def forward(self, activation, batch):
            return activation.logits.sum()

    model = localizer(losses=[{"type": Parts, "name": "a"}, {"type": Alone, "name": "a_b"}])
    with pytest.raises(ConfigError, match=r"Two losses write 'loss_a_b' into the log. Give one of them another name="):
        model.loss(Batch(images, torch.tensor([0, 2])))


def test_built_parts_are_taken_as_they_are(images):
    model = localizer(head=LinearHead({"shallow": 4, "deep": 8}, 3, level="shallow"), losses=[BinaryCrossEntropy()])
    assert model.activate(images).maps.shape == (2, 3, 8, 6)
