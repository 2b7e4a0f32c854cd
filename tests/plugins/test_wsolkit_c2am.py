"""C2AM: losses and head by loops, the vote, one batch on two processes, and every configuration for a step."""

import copy
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from tests.support.config_steps import one_step
from wsolkit import Activation, Batch, ConfigError, HeadError, ShapeError, load_plugins
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.model.localizer import Localizer
from wsolkit_c2am import (
    C2AMHead,
    C2AMLogitMaps,
    C2AMLoss,
    negative_contrast,
    positive_contrast,
    rank_weights,
    region_embeddings,
)
from wsolkit_c2am.polarity import Polarity
from wsolkit_c2am.processes import GlobalBatchNorm

SCRIPT = Path(__file__).parents[1] / "support" / "c2am_processes.py"
BATCH = Batch(torch.zeros(0))


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(x * x for x in b))


def clamp(value):
    return min(max(value, 0.0005), 0.9995)


def negative_by_loop(foreground, background):
    terms = [-math.log(1 - clamp(cosine(f, b))) for f in foreground for b in background]
    return sum(terms) / len(terms)


def positive_by_loop(rows, alpha, reference):
    """The mean over pairs of -exp(-alpha * rank) * log(s), ranks counted by comparing with every other image."""
    total, n = 0.0, len(rows)
    for i in range(n):
        similar = [cosine(rows[i], rows[j]) for j in range(n)]
        seen = [clamp(value) for value in similar] if reference else similar
        for j in range(n):
            if i == j:
                total += math.exp(alpha) * -math.log(0.9995) if reference else 0.0
                continue
            closer = [k for k in range(n) if k not in (i, j) and (seen[k] > seen[j] or (seen[k] == seen[j] and k < j))]
            total += math.exp(-alpha * len(closer)) * -math.log(clamp(similar[j]))
    return total / (n * n if reference else n * (n - 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.05, 0.75])
@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_the_losses_by_loops(seed, alpha, variant):
    generator = torch.Generator().manual_seed(seed)
    foreground = torch.randn(6, 5, generator=generator) + 0.5  # some cosines are negative: the clamp matters
    background = torch.randn(6, 5, generator=generator) + 0.5
    found = C2AMLoss(alpha, variant)(
        Activation(torch.zeros(6, 1, 2, 2), extras={"foreground": foreground, "background": background}), BATCH
    )
    reference = variant == "reference"
    fg, bg = foreground.double().tolist(), background.double().tolist()
    assert float(found["negative"]) == pytest.approx(negative_by_loop(fg, bg), rel=1e-4)
    assert float(found["foreground"]) == pytest.approx(positive_by_loop(fg, alpha, reference), rel=1e-4)
    assert float(found["background"]) == pytest.approx(positive_by_loop(bg, alpha, reference), rel=1e-4)


def test_three_embeddings_by_hand():
    rows = torch.tensor([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]])  # cosines .6, 0 and .8
    log = {pair: -math.log(value) for pair, value in {"01": 0.6, "02": 0.0005, "12": 0.8}.items()}
    far = math.exp(-0.5)  # the second neighbour
    expected = (log["01"] + far * log["02"] + far * log["01"] + log["12"] + far * log["02"] + log["12"]) / 6
    assert float(positive_contrast(rows, alpha=0.5)) == pytest.approx(expected, rel=1e-5)
    other = torch.tensor([[0.0, 1.0], [1.0, 0.0], [4.0, 3.0]])
    cosines = [[0.0005, 0.9995, 0.8], [0.8, 0.6, 0.96], [0.9995, 0.0005, 0.6]]
    expected = sum(-math.log(1 - value) for row in cosines for value in row) / 9
    assert float(negative_contrast(rows, other)) == pytest.approx(expected, rel=1e-3)


def test_ties_rank_in_order_and_an_image_itself_never_takes_a_neighbour_s_place():
    similarity = torch.full((4, 4), 1.0)  # equal rows: rounding may put another image before the image itself
    weights = rank_weights(similarity, alpha=1.0)
    assert torch.allclose(weights[0], torch.tensor([0.0, 1.0, math.exp(-1), math.exp(-2)]))
    assert torch.allclose(weights[2], torch.tensor([1.0, math.exp(-1), 0.0, math.exp(-2)]))
    assert torch.allclose(rank_weights(similarity, 1.0, include_self=True).diagonal(), torch.full((4,), math.e))


def test_gradients_are_finite_also_for_equal_and_empty_embeddings():
    for rows in (torch.ones(3, 4), torch.zeros(3, 4), torch.randn(3, 4)):
        foreground, background = rows.clone().requires_grad_(), rows.clone().requires_grad_()
        extras = {"foreground": foreground, "background": background}
        loss = sum(C2AMLoss()(Activation(torch.zeros(3, 1, 2, 2), extras=extras), BATCH).values())
        loss.backward()
        assert torch.isfinite(foreground.grad).all()
        assert torch.isfinite(background.grad).all()


def test_a_step_along_the_gradient_separates_the_regions():
    torch.manual_seed(0)
    foreground, background = torch.rand(4, 8, requires_grad=True), torch.rand(4, 8, requires_grad=True)
    extras = {"foreground": foreground, "background": background}
    before = sum(C2AMLoss()(Activation(torch.zeros(4, 1, 2, 2), extras=extras), BATCH).values())
    grads = torch.autograd.grad(before, [foreground, background])
    moved = {name: extras[name] - 0.05 * grad for name, grad in zip(extras, grads, strict=True)}
    assert sum(C2AMLoss()(Activation(torch.zeros(4, 1, 2, 2), extras=moved), BATCH).values()) < before


def test_mistakes_with_the_loss_are_explained():
    with pytest.raises(HeadError, match=r"the extra 'foreground', which .* head=dict\(type='C2AMHead'"):
        C2AMLoss()(Activation(torch.zeros(2, 1, 2, 2)), BATCH)
    with pytest.raises(ShapeError, match="the batch has a single image. Use a larger batch_size, or drop_last=True"):
        positive_contrast(torch.ones(1, 3), 0.25)
    with pytest.raises(ConfigError, match="variant of C2AMLoss should be one of 'paper', 'reference', but got 'code'"):
        C2AMLoss(variant="code")
    with pytest.raises(ConfigError, match="alpha of C2AMLoss should be a number of at least 0, but got -1"):
        C2AMLoss(alpha=-1)
    with pytest.raises(ShapeError, match=r"Embeddings should be \(N, C\) and \(M, C\), but got \(2, 3\) and \(2, 4\)"):
        negative_contrast(torch.ones(2, 3), torch.ones(2, 4))


def test_another_batch_size_than_alpha_was_chosen_for_is_said_once():
    extras = {"foreground": torch.rand(3, 4), "background": torch.rand(3, 4)}
    loss = C2AMLoss(alpha=0.25, batch_size=16)
    with pytest.warns(UserWarning, match="alpha=0.25 was chosen for batches of 16 images .*, but there are 3"):
        loss(Activation(torch.zeros(3, 1, 2, 2), extras=extras), BATCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(Activation(torch.zeros(3, 1, 2, 2), extras=extras), BATCH)


def test_the_head_by_a_loop():
    torch.manual_seed(2)
    head = C2AMHead({"layer3": 2, "layer4": 3}, levels=["layer4", "layer3"], polarity="fg")
    levels = {"layer3": torch.randn(2, 2, 4, 5), "layer4": torch.randn(2, 3, 4, 5)}
    found = head(levels)
    z = torch.cat([levels["layer4"], levels["layer3"]], 1)
    logits = torch.zeros(2, 4, 5)
    padded = torch.nn.functional.pad(z, (1, 1, 1, 1))
    for y in range(4):
        for x in range(5):
            logits[:, y, x] = (padded[:, :, y : y + 3, x : x + 3] * head.conv.weight[0]).sum((1, 2, 3))
    logits = (logits - logits.mean()) / (logits.var(unbiased=False) + 1e-5).sqrt()
    p = 1 / (1 + torch.exp(-logits))
    torch.testing.assert_close(found.maps[:, 0], p, atol=1e-5, rtol=1e-4)
    for image in range(2):
        foreground = sum(p[image, y, x] * z[image, :, y, x] for y in range(4) for x in range(5)) / 20
        background = sum((1 - p[image, y, x]) * z[image, :, y, x] for y in range(4) for x in range(5)) / 20
        torch.testing.assert_close(found.extras["foreground"][image], foreground, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.extras["background"][image], background, atol=1e-5, rtol=1e-4)
    assert found.logits is None
    assert found.class_agnostic
    assert found.features.shape == (2, 5, 4, 5)


def test_embeddings_do_not_depend_on_the_memory_layout():
    features, maps = torch.rand(2, 6, 4, 4), torch.rand(2, 1, 4, 4)
    plain = region_embeddings(features, maps)
    innermost = region_embeddings(features.to(memory_format=torch.channels_last), maps)
    torch.testing.assert_close(plain, innermost)


def test_the_norm_of_the_head_is_not_trained_unless_asked():
    assert not any(p.requires_grad for p in C2AMHead({"a": 4}).norm.parameters())
    assert all(p.requires_grad for p in C2AMHead({"a": 4}, freeze_bn_affine=False).norm.parameters())


def test_mistakes_with_the_head_are_explained():
    with pytest.raises(ConfigError, match=r"levels should be a list of level names .*, but got 'a'"):
        C2AMHead({"a": 4}, levels="a")
    with pytest.raises(ConfigError, match="gives no level 'layer3' to the head"):
        C2AMHead({"a": 4}, levels=["layer3"])
    with pytest.raises(
        ConfigError, match="polarity of C2AMHead should be one of 'auto', 'fg', 'bg', but got 'foreground'"
    ):
        C2AMHead({"a": 4}, polarity="foreground")


def blob(images, inside, outside, side=12):
    """Features (B, 1, side, side) with one value in the centre and another one around it."""
    features = torch.full((images, 1, side, side), float(outside))
    features[:, :, 3:9, 3:9] = inside
    return features


def identity_head(sign=1.0, **options):
    """A head whose logit is the (normalised) feature itself, or its negative."""
    head = C2AMHead({"a": 1}, **options)
    with torch.no_grad():
        head.conv.weight.zero_()
        head.conv.weight[0, 0, 1, 1] = sign
    return head


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_object_is_the_region_in_the_centre_whichever_way_training_turned(sign):
    head = identity_head(sign).train()
    levels = {"a": blob(4, 2.0, -1.0)}
    for _ in range(3):
        maps = head(levels).maps
    assert maps[0, 0, 6, 6] > 0.7 > 0.4 > maps[0, 0, 1, 1]
    assert float(head.polarity.votes[2]) == 12
    assert int(head.polarity.decided) == int(sign)
    copied = identity_head(sign)
    copied.load_state_dict(head.state_dict())
    torch.testing.assert_close(copied.eval()(levels).maps, head.eval()(levels).maps)


def test_the_contrast_is_that_of_float32_under_autocast():
    torch.manual_seed(0)
    same = torch.rand(4, 64) + 1
    with torch.autocast("cpu", torch.bfloat16):
        found = negative_contrast(same, same), positive_contrast(same, 0.25)
    assert (float(found[0]), float(found[1])) == (
        float(negative_contrast(same, same)),
        float(positive_contrast(same, 0.25)),
    )
    assert math.isfinite(found[0])


def test_the_last_pass_over_the_images_decides_however_the_first_ended():
    """A training whose first passes went one way and the last ones the other, as with 72 photographs."""
    head = identity_head().train()
    blobs, holes = blob(8, 2.0, -1.0), blob(8, -2.0, 1.0)
    passes = ((blobs, 1), (blobs, 1), (holes, -1), (holes, -1))
    seen = []
    for levels, expected in passes:
        for number in range(3):
            batch = Batch(torch.zeros(8), begins_pass=number == 0)
            head({"a": levels}, batch)
        seen.append(float(head.polarity.votes[2]))
        assert head.polarity.sign == expected
        head.eval()({"a": levels})  # a validation closes nothing
        head.train()
    assert seen == [24, 30, 31.5, 31.875]  # each pass 24, and a quarter of what was before


def test_a_few_images_of_a_new_pass_do_not_decide_alone():
    head = identity_head().train()
    for number in range(6):
        head({"a": blob(8, 2.0, -1.0)}, Batch(torch.zeros(8), begins_pass=number == 0))
    head({"a": blob(8, -2.0, 1.0)}, Batch(torch.zeros(8), begins_pass=True))
    assert head.polarity.sign == 1


def test_the_same_maps_come_out_of_a_head_and_of_its_negative():
    torch.manual_seed(3)
    levels = {"a": torch.randn(4, 1, 12, 12) + blob(4, 2.0, -1.0)}
    maps = []
    for sign in (1.0, -1.0):
        head = identity_head(sign).train()
        head(levels)
        maps.append(head.eval()(levels).maps)
    torch.testing.assert_close(maps[0], maps[1])


def test_cells_at_the_very_edge_do_not_vote():
    head = identity_head().train()
    features = blob(2, 1.0, -1.0)
    features[:, :, 0] = features[:, :, -1] = features[..., 0] = features[..., -1] = 100.0
    head({"a": features})
    assert head.polarity.sign == 1


def test_polarity_by_hand():
    levels = {"a": blob(2, 2.0, -1.0)}
    for polarity, higher in (("fg", True), ("bg", False)):
        maps = identity_head(polarity=polarity).train()(levels).maps
        assert bool(maps[0, 0, 6, 6] > maps[0, 0, 1, 1]) is higher


@pytest.mark.parametrize("side", [(3, 3), (3, 5), (2, 3), (1, 3)])
def test_maps_under_four_cells_vote_by_their_middle_cell(side):
    maps = torch.full((5, 1, *side), 0.75)
    maps[..., side[0] // 2, side[1] // 2] = 0.25  # the middle is lower: P is the background
    polarity = Polarity().train()
    polarity(maps)
    assert (polarity.sign, float(polarity.votes[2])) == (-1, 5)
    polarity = Polarity().train()
    polarity(1 - maps)
    assert polarity.sign == 1


def test_maps_without_a_middle_do_not_vote():
    polarity = Polarity().train()
    polarity(torch.rand(5, 1, 2, 2))
    assert (int(polarity.decided), float(polarity.votes[2])) == (0, 0)


def test_an_evaluation_that_contradicts_the_vote_warns_when_it_ends():
    head = identity_head().train()
    head({"a": blob(4, 2.0, -1.0)})
    head.eval()
    head({"a": torch.cat([blob(23, -3.0, 3.0), blob(17, 3.0, -3.0)])})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.train()  # 23 of 40 may be chance
    head.eval()
    head({"a": torch.cat([blob(24, -3.0, 3.0), blob(16, 3.0, -3.0)])})
    words = (
        r"may be exchanged: training took P for the object \(margin 0\.\d{3}\), but 24 of 40 maps seen now say the "
        r"opposite.*exchange the two with model.head.polarity=bg"
    )
    with pytest.warns(UserWarning, match=words):
        head.end_pass()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.end_pass()  # they are forgotten
        head({"a": blob(512, 2.0, -1.0)})
        head.train().eval()
        head({"a": blob(7, -3.0, 3.0)})  # too few to say anything
        head.train()


def test_the_end_of_a_training_says_the_margin_and_warns_of_a_thin_one(caplog):
    head = identity_head().train()
    head({"a": blob(16, 3.0, -3.0)})
    with warnings.catch_warnings(), caplog.at_level("INFO"):
        warnings.simplefilter("error")
        head.end_pass()
    assert head.polarity.margin > 0.3
    head = identity_head().train()
    head({"a": torch.cat([blob(17, -3.0, 3.0), blob(15, 3.0, -3.0)])})
    words = r"takes 1 - P for the object: over.*A margin of 0\.0\d\d is thin.*with model.head.polarity=fg"
    with pytest.warns(UserWarning, match=words):
        head.end_pass()


def test_votes_keep_their_digits_in_half_precision():
    head = identity_head().train()
    head({"a": blob(4, 2.0, -1.0)})
    votes = head.polarity.votes.tolist()
    assert head.half().polarity.votes.tolist() == votes


def test_the_norm_is_a_batch_norm_that_converters_leave_alone():
    ours, plain = GlobalBatchNorm(1).train(), torch.nn.BatchNorm2d(1).train()
    for _ in range(3):
        maps = torch.randn(4, 1, 5, 5)
        torch.testing.assert_close(ours(maps), plain(maps))
    assert {name: value.tolist() for name, value in ours.state_dict().items()} == {
        name: value.tolist() for name, value in plain.state_dict().items()
    }
    torch.testing.assert_close(ours.eval()(maps), plain.eval()(maps))
    assert type(torch.nn.SyncBatchNorm.convert_sync_batchnorm(ours)) is GlobalBatchNorm


def test_a_copy_votes_for_itself():
    head = identity_head().train()
    head({"a": blob(4, 2.0, -1.0)})
    other = copy.deepcopy(head)
    other({"a": blob(4, 2.0, -1.0)})
    assert (float(head.polarity.votes[2]), float(other.polarity.votes[2])) == (4, 8)


@pytest.mark.slow
def test_two_processes_of_8_train_as_one_of_16(tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    found = {}
    for name, command in (("one", [sys.executable]), ("two", torchrun)):
        run = subprocess.run(
            [*command, str(SCRIPT), str(tmp_path / f"{name}.pt")],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        found[name] = torch.load(tmp_path / f"{name}.pt", weights_only=True)
    assert found["one"].keys() == found["two"].keys()
    assert {"loss.0", "loss.2", "gradient.backbone.conv.weight", "state.head.polarity.votes"} <= set(found["one"])
    for key, value in found["one"].items():
        difference = (found["two"][key].double() - value.double()).abs().max()
        assert difference <= 1e-6 + 1e-4 * value.double().abs().max(), key


def tiny_model(**options):
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer3", "layer4"], "output_stride": 16},
        head={"type": "C2AMHead", "levels": ["layer4", "layer3"]},
        losses=[{"type": "C2AMLoss"}],
        precision="fp32",
        **options,
    )


@pytest.mark.parametrize("decided", [1, -1])
def test_the_reference_s_inference_sums_what_logits_have_above_0_and_turns_them_as_one_less(decided):
    torch.manual_seed(0)
    model = tiny_model(
        cam_method={"type": "MultiScaleMaps", "scales": [1.0, 2.0], "of": {"type": "C2AMLogitMaps"}, "normalize": "max"}
    )
    images = torch.randn(2, 3, 64, 64)
    model.train()
    model.activate(images)
    model.eval()
    norm, start = model.head.norm, model.activate(images).extras["logit_map"].mean().detach()
    norm.running_mean += (start - int(decided < 0)) * norm.running_var.sqrt()  # the views differ in sign
    model.head.polarity.decided.fill_(decided)
    total = torch.zeros(2, 64, 64)
    for scale in (1, 2):
        scaled = torch.nn.functional.interpolate(images, scale_factor=scale, mode="bilinear") if scale > 1 else images
        for flip in (False, True):
            logits = model.activate(scaled.flip(-1) if flip else scaled).extras["logit_map"]
            turned = logits if decided > 0 else 1 - logits
            kept = torch.nn.functional.interpolate(turned.relu(), size=(64, 64), mode="bilinear")[:, 0]
            total += kept.flip(-1) if flip else kept
    expected = total / total.amax((1, 2), keepdim=True)
    found = model.cam_method(model, images, torch.tensor([0, 5]))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_negated_logit_maps_are_the_same_whichever_way_training_turned():
    maps = []
    for sign in (1.0, -1.0):
        model = tiny_model(cam_method={"type": "C2AMLogitMaps", "inverted": "negated", "resize": "none"})
        model.head = identity_head(sign).train()
        model.head({"a": blob(4, 2.0, -1.0)})
        activation = model.head.eval()({"a": blob(2, 2.0, -1.0)})
        maps.append(model.cam_method(model, torch.zeros(2, 3, 12, 12), torch.zeros(2, dtype=int), activation))
    torch.testing.assert_close(maps[0], maps[1])
    assert maps[0].max() == 1
    assert maps[0][0, 1, 1] == 0  # below a logit of 0


def test_logit_maps_of_another_head_are_refused():
    model = Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"]},
        head={"type": "LinearHead", "num_classes": 2},
        cam_method={"type": "C2AMLogitMaps"},
    ).eval()
    with pytest.raises(ConfigError, match=r"which LinearHead does not give. Use head=dict\(type='C2AMHead'\)"):
        model.predict(torch.randn(1, 3, 64, 64))
    assert C2AMLogitMaps().normalize == "max"


def moco_checkpoint(path):
    """Write what MoCo v2 publishes: the query encoder behind ``module.encoder_q.``, a projection head, a queue."""
    import timm

    encoder = timm.create_model("resnet50", num_classes=0)
    state = {f"module.encoder_q.{name}": value for name, value in encoder.state_dict().items()}
    state["module.encoder_q.fc.0.weight"] = torch.zeros(8, 2048)
    state["module.queue"] = torch.zeros(4, 4)
    torch.save({"epoch": 800, "arch": "resnet50", "state_dict": state}, path)
    return encoder


def test_moco_weights_reach_the_backbone_and_a_wrong_file_is_refused(tmp_path):
    from wsolkit import CheckpointError
    from wsolkit.components.backbones.timm_backbone import TimmBackbone

    encoder = moco_checkpoint(tmp_path / "moco.pth.tar")
    backbone = TimmBackbone("resnet50", levels=["layer3", "layer4"], weights=tmp_path / "moco.pth.tar")
    assert backbone.report.prefix == "module.encoder_q."
    assert backbone.report.ratio == 1
    assert torch.equal(backbone.model.layer4[2].conv3.weight, encoder.layer4[2].conv3.weight)
    with pytest.raises(CheckpointError, match="fits ResNet too little"):
        TimmBackbone("resnet101", levels=["layer4"], weights=tmp_path / "moco.pth.tar")


@pytest.mark.parametrize("method", ["c2am", "ccnn"])
@pytest.mark.parametrize("data", ["cub", "ilsvrc", "voc"])
def test_a_configuration_for_moco_weights_is_the_method_s_with_a_local_file(method, data):
    name = f"{method}_resnet50_{data}"
    plain, moco = (load_config(each, {"weights": "moco.pth.tar"}).to_dict() for each in (name, f"{name}_moco"))
    assert moco["model"]["backbone"].pop("weights") == "moco.pth.tar"
    assert moco["model"]["backbone"].pop("name") == "resnet50"  # no network whose weights timm would download
    (loss,) = moco["model"].pop("losses")
    assert loss["alpha"] == {"cub": 0.75, "ilsvrc": 0.05, "voc": 0.25}[data]
    for key in ("name", "weights"):
        plain["model"]["backbone"].pop(key)
    assert plain["model"].pop("losses")[0]["batch_size"] == loss["batch_size"]
    assert moco == plain
    assert load_config(f"{name}_moco")["weights"] == "moco_v2_800ep_pretrain.pth.tar"


CONFIGS = sorted(name for name in config_files() if name.startswith("c2am_"))
SAME_NETWORK = ("_moco", "_reference", "_ilsvrc", "resnet50_voc")
"""Endings of configurations whose network another one has."""


def test_the_method_names_its_configurations_and_its_card_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "C2AM"]
    assert (source.plugin, found.year, found.venue) == ("c2am", 2022, "CVPR")
    assert sorted(found.configs) == CONFIGS
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.2f}" in card, f"the card lacks {value}"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONFIGS if not name.endswith(SAME_NETWORK)])
@pytest.mark.filterwarnings("ignore:C2AM's alpha", "ignore:The backbone has no pretrained weights")
def test_a_step_of_every_network(name, tmp_path):
    model, predictions = one_step(name, tmp_path / "run", multi_label="voc" in name, side=64)
    assert predictions[0].maps.shape == (1, 64, 64)
    assert torch.isfinite(predictions[0].maps).all()
    assert predictions[0].logits is None
    assert all(int(each) in (-1, 1) for each in model.head.polarity.decided.view(-1))


def several(members=3, seed=0):
    torch.manual_seed(seed)
    return C2AMHead({"final": 6}, members=members)


def alone(head, member):
    """The head that one of several members would be."""
    found = C2AMHead({"final": 6})
    found.conv.weight.data.copy_(head.conv.weight[member : member + 1])
    return found


def test_members_learn_what_each_would_learn_alone():
    head, loss = several(), C2AMLoss(0.25)
    heads = [alone(head, member) for member in range(3)]
    for step in range(3):
        levels = {"final": torch.rand(5, 6, 8, 8, generator=torch.Generator().manual_seed(step))}
        found = loss(head(levels), BATCH)
        single = [loss(each(levels), BATCH) for each in heads]
        for name, value in found.items():
            torch.testing.assert_close(value, sum(each[name] for each in single))
        for model, terms in zip((head, *heads), (found, *single), strict=True):
            model.conv.weight.grad = None
            sum(terms.values()).backward()
            model.conv.weight.data -= 0.1 * model.conv.weight.grad
    for member, each in enumerate(heads):
        torch.testing.assert_close(head.conv.weight[member], each.conv.weight[0])
        torch.testing.assert_close(head.norm.running_mean[member], each.norm.running_mean[0])
        torch.testing.assert_close(head.polarity.votes[member], each.polarity.votes, rtol=1e-4, atol=1e-4)


def test_the_map_of_several_members_is_the_mean_of_their_objects():
    head = several()
    levels = {"final": torch.rand(4, 6, 9, 9)}
    heads = [alone(head, member) for member in range(3)]
    head(levels)
    for each in heads:
        each(levels)
    found = head.eval()(levels)
    maps = torch.cat([each.eval()(levels).maps for each in heads], 1)
    torch.testing.assert_close(found.extras["members"], maps)
    torch.testing.assert_close(found.maps, maps.mean(1, keepdim=True))
    assert found.class_agnostic
    assert found.extras["foreground"].shape == (4, 3, 6)


def test_the_last_look_turns_each_member_by_all_images_and_says_how_far_they_agree():
    head = several()
    centre = torch.zeros(8, 1, 8, 8)
    centre[..., 2:6, 2:6] = 1
    p = torch.cat([centre, 1 - centre, centre], 1)  # the second has the background
    p[:2, 2] = 1 - p[:2, 2]  # and two images of the third
    assert head.findings() == {}
    head.last_look([Activation(p[:3], extras={"p": p[:3]}), Activation(p[3:], extras={"p": p[3:]})])
    assert head.polarity.signs.tolist() == [1, -1, 1]
    torch.testing.assert_close(head.polarity.shares, torch.tensor([1.0, 1.0, 0.75], dtype=torch.float64))
    pairs = (1.0, (6 - 2) / 8, (6 - 2) / 8)  # first and second agree everywhere, the third with neither in two images
    assert head.findings() == {"vote_margin": 0.75, "agreement": pytest.approx(sum(pairs) / 3)}
    other = several(seed=1)
    other.load_state_dict(head.state_dict())
    assert other.findings() == head.findings()


def test_one_member_looks_back_at_nothing_and_is_saved_as_ever():
    head = C2AMHead({"final": 6})
    head.last_look(pytest.fail("asked for") for _ in range(1))
    assert head.findings() == {}
    assert {name: tuple(value.shape) for name, value in head.state_dict().items()} == {
        "conv.weight": (1, 6, 3, 3),
        "norm.weight": (1,),
        "norm.bias": (1,),
        "norm.running_mean": (1,),
        "norm.running_var": (1,),
        "norm.num_batches_tracked": (),
        "polarity.votes": (3,),
        "polarity.decided": (),
    }


def test_several_members_warn_of_a_thin_vote_in_few_words():
    head = several().train()
    head({"final": torch.zeros(16, 6, 8, 8)})
    with pytest.warns(
        UserWarning, match=r"^It is not clear which region is the object \(C2AM\)\. A margin of 0\.0"
    ) as told:
        head.end_pass()
    assert not [each for each in told if "member 1 of 3" in str(each.message)]
