"""FSL: masks and loss pixel by pixel, which images are shots, that it learns, is marked, and never judged on them."""

import json
import math

import numpy as np
import pytest
import torch

from tests.support.model_step import built_model
from wsolkit import (
    Activation,
    Batch,
    ConfigError,
    DataError,
    HeadError,
    Localizer,
    Method,
    PluginError,
    load_plugins,
)
from wsolkit.cli.main import main
from wsolkit.config.load import load_config
from wsolkit.datasets.unseen import check_unseen
from wsolkit.registry import DATASETS, MODELS
from wsolkit.training.train import train
from wsolkit_fsl import (
    BoxedBatch,
    BoxedShots,
    BoxPixelLoss,
    FewShotLocalizer,
    ForegroundHead,
    box_masks,
    shots_of_each_class,
)

SCENES = {"type": "SyntheticParts", "num_classes": 3, "num_images": 12, "image_size": 32}


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def masks_by_hand(boxes, size):
    found = np.zeros((len(boxes), 1, *size), np.float32)
    for image, each in enumerate(boxes):
        for x0, y0, x1, y1 in each.tolist():
            for y in range(size[0]):
                for x in range(size[1]):
                    if x0 <= x + 0.5 < x1 and y0 <= y + 0.5 < y1:
                        found[image, 0, y, x] = 1
    return torch.from_numpy(found)


BOXES = [torch.tensor([[0.0, 1.0, 3.4, 4.0], [4.6, 0.0, 6.0, 2.0]]), torch.tensor([[1.5, 1.5, 5.0, 3.0]])]


def test_masks_are_the_pixels_whose_middle_lies_in_a_box():
    found = box_masks(BOXES, (4, 6))
    assert torch.equal(found, masks_by_hand(BOXES, (4, 6)))
    assert 0 < float(found.mean()) < 1
    assert not box_masks([torch.zeros(0, 4)], (2, 2)).any()


def cross_entropy_by_hand(logits, targets):
    terms = []
    for logit, target in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True):
        share = 1 / (1 + math.exp(-logit))
        terms.append(-target * math.log(share) - (1 - target) * math.log(1 - share))
    return sum(terms) / len(terms)


def test_the_loss_is_the_mean_over_pixels_or_over_cells():
    logits = drawn(2, 1, 2, 3)
    activation = Activation(logits.sigmoid(), extras={"foreground": logits})
    batch = BoxedBatch(torch.zeros(2, 3, 4, 6), boxes=BOXES)
    masks = masks_by_hand(BOXES, (4, 6))
    shares = torch.stack([masks[..., y : y + 2, x : x + 2].mean((2, 3)) for y in (0, 2) for x in (0, 2, 4)], -1)
    expected = cross_entropy_by_hand(logits, shares)
    assert float(BoxPixelLoss(at="cells")(activation, batch)) == pytest.approx(expected, rel=1e-5)
    whole = torch.nn.functional.interpolate(logits, (4, 6), mode="bilinear", align_corners=False)
    assert float(BoxPixelLoss()(activation, batch)) == pytest.approx(cross_entropy_by_hand(whole, masks), rel=1e-5)


def test_the_loss_refuses_batches_without_boxes_and_heads_without_foreground():
    logits = drawn(1, 1, 2, 2)
    activation = Activation(logits, extras={"foreground": logits})
    with pytest.raises(DataError, match="BoxPixelLoss trains on boxes, but the batch has none. Take model.type="):
        BoxPixelLoss()(activation, Batch(torch.zeros(1, 3, 4, 4)))
    with pytest.raises(HeadError, match="needs the extra 'foreground', which the head does not give. Use head=dict"):
        BoxPixelLoss()(Activation(logits), BoxedBatch(torch.zeros(1, 3, 4, 4), boxes=BOXES[:1]))


def test_shots_are_the_first_of_each_class_or_drawn():
    labels = [0, 0, 1, 1, 0, 1, 0, 1]
    assert shots_of_each_class(labels, 2) == [True, True, True, True, False, False, False, False]
    picks = {tuple(shots_of_each_class(labels, 2, draw)) for draw in range(8)}
    assert len(picks) > 2
    for pick in picks:
        assert [sum(chosen for chosen, label in zip(pick, labels, strict=True) if label == k) for k in (0, 1)] == [2, 2]
    assert shots_of_each_class(labels, 2, 3) == shots_of_each_class(labels, 2, 3)
    with pytest.raises(DataError, match="Class 2 has 1 images with boxes, but shots=2"):
        shots_of_each_class([0, 0, 2], 2)


@pytest.mark.parametrize("draw", [None, 5])
def test_the_two_parts_are_the_split_and_share_nothing(draw):
    inner = {**SCENES, "split": "val"}
    train_part = BoxedShots(dataset=inner, shots=3, draw=draw, pipeline=[{"type": "Resize", "size": (16, 16)}])
    rest = BoxedShots(dataset=inner, shots=3, part="rest", draw=draw, test_mode=True)
    ids = [{each.record(index)["image_id"] for index in range(len(each))} for each in (train_part, rest)]
    assert [len(each) for each in ids] == [9, 3]
    assert not ids[0] & ids[1]
    assert train_part.classes == rest.classes
    whole = DATASETS.build({**inner, "load_targets": True})
    places = {whole.record(index)["image_id"]: index for index in range(len(whole))}
    sample = train_part[0]
    truth = whole[places[sample["image_ids"]]]["targets"].boxes
    assert set(sample) == {"inputs", "labels", "image_ids", "true_boxes"}
    np.testing.assert_allclose(sample["true_boxes"].numpy(), truth / 2)
    assert "true_boxes" not in rest[0]
    assert len(rest[0]["targets"].boxes) == 1


def test_what_cannot_be_shots_is_refused():
    with pytest.raises(
        ConfigError, match="boxes of the split 'test', on which results are judged. Take the validation"
    ):
        BoxedShots(dataset={**SCENES, "split": "test"})
    with pytest.raises(ConfigError, match="the images of this data set have several classes each"):
        BoxedShots(dataset={**SCENES, "split": "val", "multi_label": True})
    with pytest.raises(DataError, match="Nothing is left of the split 'val': each class has 4 images and no more"):
        BoxedShots(dataset={**SCENES, "split": "val"}, shots=4, part="rest")
    with pytest.raises(ConfigError, match="shots of BoxedShots should be"):
        BoxedShots(dataset={**SCENES, "split": "val"}, shots=0)


def config(folder, **changes):
    """Write a small training: shots of val, the rest of val to choose on, test to judge."""
    shots = {"type": "BoxedShots", "dataset": {**SCENES, "split": "val"}, "shots": 3}
    given = {
        "train": shots,
        "val": {**shots, "part": "rest", "test_mode": True},
        "test": {**SCENES, "split": "test", "load_targets": True, "test_mode": True},
        **changes,
    }
    loaders = "".join(
        f"{split}_dataloader = dict(batch_size=3, num_workers=0, dataset={dataset},\n"
        f"    sampler=dict(type='DefaultSampler', shuffle=False), collate_fn=dict(type='collate_samples'))\n"
        for split, dataset in given.items()
    )
    (folder / "config.py").write_text(
        f"{loaders}"
        "model = dict(type='FewShotLocalizer', backbone=dict(type='TimmBackbone', name='test_resnet'),\n"
        "    head=dict(type='ForegroundHead'), losses=[dict(type='BoxPixelLoss')], precision='fp32')\n"
        "val_evaluator = dict(type='LocalizationMetric')\n"
        "test_evaluator = val_evaluator\n"
        "val_cfg = dict(type='ValLoop')\n"
        "test_cfg = dict(type='TestLoop')\n"
        "train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)\n"
        "optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))\n"
        "default_hooks = dict(checkpoint=dict(type='Checkpoints'), progress_bar=None)\n"
        "default_scope = 'wsolkit'\n"
    )
    return load_config(folder / "config.py")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the work folder of a training of three steps."""
    folder = tmp_path_factory.mktemp("fsl")
    train(config(folder), folder / "run", seed=0)
    return folder / "run"


def test_a_training_says_that_it_saw_boxes(trained, capsys):
    meta = torch.load(trained / "last.pth", weights_only=True)["meta"]["training"]
    assert meta["boxes"] == "those of the training data"
    assert main(["test", str(trained / "last.pth"), "--out", str(trained / "found")]) == 0
    words = "The model was trained with boxes (those of the training data): it is not weakly supervised."
    assert words in capsys.readouterr().err
    found = json.loads((trained / "found" / "results.json").read_text())
    assert words in found["remarks"]
    assert found["training"]["boxes"] == "those of the training data"


def test_images_that_are_trained_on_are_not_judged(trained, tmp_path, capsys):
    judged = {**SCENES, "split": "val", "load_targets": True, "test_mode": True}
    with pytest.raises(DataError, match=r"9 images of the test split are among those whose boxes the model is trained"):
        train(config(tmp_path, test=judged), tmp_path / "run", seed=0)
    assert not (tmp_path / "run" / "last.pth").exists()
    shots = BoxedShots(dataset={**SCENES, "split": "val"}, shots=3)
    with pytest.raises(DataError, match="9 images of the val split are among those"):
        check_unseen(shots, {"val": DATASETS.build(judged)})
    options = ["--cfg-options", "test_dataloader.dataset.split=val"]
    assert main(["test", str(trained / "last.pth"), "--out", str(tmp_path / "found"), *options]) == 2
    assert "Nothing can be judged or chosen on them" in capsys.readouterr().err


def test_a_plain_localizer_never_sees_the_boxes():
    model = MODELS.build(
        {
            "type": "Localizer",
            "backbone": {"type": "TimmBackbone", "name": "test_resnet"},
            "head": {"type": "ForegroundHead"},
            "losses": [{"type": "BoxPixelLoss"}],
        }
    )
    with pytest.raises(DataError, match="The loss is BoxPixelLoss, the head ForegroundHead"):
        model(torch.zeros(1, 3, 64, 64), true_boxes=BOXES[:1], mode="loss")


def test_batch_transforms_are_refused():
    model = {"backbone": {"type": "TimmBackbone", "name": "test_resnet"}, "head": {"type": "ForegroundHead"}}
    with pytest.raises(ConfigError, match="which batch_transforms would not move with the images. Leave them out"):
        MODELS.build({"type": "FewShotLocalizer", **model, "batch_transforms": [{"type": "CutMix"}]})


@pytest.mark.parametrize("name", ["test_byobnet", "test_vit", "test_convnext"])
def test_it_learns_boxes_on_every_kind_of_backbone_and_beside_modifiers(name):
    torch.manual_seed(0)
    model = MODELS.build(
        {
            "type": "FewShotLocalizer",
            "backbone": {"type": "TimmBackbone", "name": name},
            "head": {"type": "ForegroundHead"},
            "losses": [{"type": "BoxPixelLoss"}],
            "modifiers": [{"type": "Dropout", "drop_prob": 0.1, "at": "image"}],
            "precision": "fp32",
        }
    ).train()
    images, boxes = drawn(2, 3, 64, 64), [torch.tensor([[8.0, 8.0, 40.0, 40.0]])] * 2
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    values = []
    for _ in range(6):
        optimizer.zero_grad()
        total, log = model.parse_losses(model(images, true_boxes=boxes, mode="loss"))
        total.backward()
        optimizer.step()
        values.append(float(total.detach()))
    assert values[-1] < values[0]
    assert "loss_box_pixel_loss" in log
    (prediction, _) = model.eval().predict(images)
    assert prediction.logits is None
    assert prediction.maps.shape == (1, 64, 64)


def test_the_head_gives_probabilities_of_one_convolution():
    head, features = ForegroundHead({"deep": 4}).requires_grad_(False), drawn(1, 4, 2, 2)
    found = head({"deep": features})
    weight, bias = head.foreground.weight.flatten(), float(head.foreground.bias)
    for y in range(2):
        for x in range(2):
            logit = float(features[0, :, y, x] @ weight) + bias
            assert float(found.maps[0, 0, y, x]) == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-5)


def test_the_configurations_build():
    for name in ("fsl_lite0_birds50", "fsl_resnet50_cub"):
        model = built_model(name, classes=None)
        assert isinstance(model, FewShotLocalizer)
        assert isinstance(model, Localizer)
        assert model.trained_with == "boxes"


def test_the_card_is_marked_everywhere(capsys):
    (method,) = [method for method, _ in load_plugins().methods if method.name == "FSL"]
    assert (method.trained_with, method.warning) == ("boxes", "trained with boxes")
    assert main(["show", "FSL"]) == 0
    assert "trained with    boxes: not weakly supervised" in capsys.readouterr().out
    assert main(["list"]) == 0
    assert "trained with boxes: FSL" in capsys.readouterr().out
    assert main(["list", "methods"]) == 0
    assert "FSL (trained with" in capsys.readouterr().out
    assert main(["list", "methods", "--json"]) == 0
    methods = {each["name"]: each["trained_with"] for each in json.loads(capsys.readouterr().out)["methods"]}
    assert (methods["FSL"], methods["CAM"]) == ("boxes", "labels")


def test_a_card_says_one_of_four_words(tmp_path):
    facts = "---\nname: A\ntitle: B\nauthors: C\nvenue: D\nyear: 2020\nsummary: E\ntrained_with: {}\n---\n"
    (tmp_path / "card.md").write_text(facts.format("love"))
    with pytest.raises(
        PluginError, match="trained_with in the card .* is one of labels, nothing, boxes, masks, but got"
    ):
        Method.from_card(tmp_path / "card.md")
    (tmp_path / "card.md").write_text(facts.format("nothing"))
    assert Method.from_card(tmp_path / "card.md").warning == ""
