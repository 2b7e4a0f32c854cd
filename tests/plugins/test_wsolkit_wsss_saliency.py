"""The saliency network: its parts by loops, what it trains on, exact resume, and the maps it leaves."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from wsolkit import DATASETS, Backbone, CheckpointError, ConfigError, DataError, ShapeError
from wsolkit.config.load import load_config
from wsolkit.formats.masks import write_gray
from wsolkit.training.train import train
from wsolkit_wsss.pool_modules import FeatureAggregation, PyramidPooling
from wsolkit_wsss.saliency_cues import SaliencyCues
from wsolkit_wsss.saliency_maps import SaliencyMaps
from wsolkit_wsss.saliency_network import SaliencyNetwork, saliency_loss

SCENES = {"type": "SyntheticParts", "num_classes": 2, "image_size": (40, 32), "seed": 3, "num_images": 4}


class Levels(Backbone):
    """Two levels without weights: averages over 2 x 2 and 4 x 4 pixels."""

    def __init__(self):
        super().__init__()
        self.channels, self.strides = {"a": 3, "b": 3}, {"a": 2, "b": 4}
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images):
        images = self.norm(images)
        return {"a": F.avg_pool2d(images, 2), "b": F.avg_pool2d(images, 4)}


def identity(convolution):
    """Let a convolution hand its channels on; of more inputs than outputs only the first."""
    with torch.no_grad():
        convolution.weight.zero_()
        middle = convolution.kernel_size[0] // 2
        for channel in range(convolution.out_channels):
            convolution.weight[channel, channel, middle, middle] = 1
    return convolution


def cues_for(folder, scenes=SCENES):
    """Write a cue for each scene: its left half, so that flips show; return the data set's configuration."""
    dataset = DATASETS.build(dict(scenes))
    for index in range(len(dataset)):
        cue = np.zeros((32, 40), np.uint8)
        cue[:, : 10 + index] = 255
        write_gray(folder / "cues" / f"{dataset.record(index)['image_id']}.png", cue)
    return dict(scenes)


def test_feature_aggregation_adds_averages_at_each_scale():
    module = FeatureAggregation(1, rates=(2, 8))
    for each in (module.fuse, *module.branches):
        identity(each)
    maps = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 8, 8))).float()
    blocks = torch.zeros(1, 1, 4, 4)
    for row in range(4):
        for column in range(4):
            blocks[0, 0, row, column] = maps[0, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean()
    wanted = torch.zeros(8, 8)
    for y in range(8):
        for x in range(8):
            total = maps[0, 0, y, x] + maps.mean()  # one cell of 8 x 8, everywhere
            rows, columns = place(y), place(x)
            for (row, part), (column, share) in [(r, c) for r in rows for c in columns]:
                total = total + part * share * blocks[0, 0, row, column]
            wanted[y, x] = total.clamp(min=0)
    torch.testing.assert_close(module(maps)[0, 0], wanted)


def place(pixel):
    """Return the cells of 2 pixels, of 4 cells, that a pixel lies between, with their shares: bilinear by hand."""
    centre = (pixel + 0.5) / 2 - 0.5
    low = int(np.floor(centre))
    share = centre - low
    return [(min(max(low, 0), 3), 1 - share), (min(max(low + 1, 0), 3), share)]


def test_rates_larger_than_the_map_are_left_out():
    module = FeatureAggregation(1)
    for each in (module.fuse, *module.branches):
        identity(each)
    assert module(torch.full((1, 1, 8, 8), 2.0)).unique().tolist() == [8.0]  # itself and three averages
    assert module(torch.full((1, 1, 5, 7), 2.0)).unique().tolist() == [6.0]  # 8 x 8 does not fit
    assert module(torch.full((1, 1, 1, 1), 2.0)).unique().tolist() == [2.0]


def test_pyramid_pooling_puts_averages_beside_the_map():
    module = PyramidPooling(1, 1, bins=(1, 3))
    for each in (module.whole, *module.branches):
        identity(each)
    maps = torch.from_numpy(np.random.default_rng(1).random((1, 1, 3, 3))).float()
    with torch.no_grad():
        module.fuse.weight.zero_()
        module.fuse.weight[0, :, 1, 1] = torch.tensor([1.0, 10.0, 100.0])
    # the map, its mean, and a 3 x 3 grid over 3 x 3 cells, which is the map
    torch.testing.assert_close(module(maps), maps + 10 * maps.mean() + 100 * maps)


def test_the_pathway_goes_from_deep_to_shallow_with_guidance_at_each_level():
    torch.manual_seed(0)
    network = SaliencyNetwork(Levels(), width=3, rates=(2,)).eval()
    images = torch.rand(2, 3, 16, 24)
    deep, shallow = (F.avg_pool2d(network.backbone.norm(images), side) for side in (4, 2))
    seen = network.guidance(deep)

    def up(maps, like):
        return F.interpolate(maps, size=like.shape[-2:], mode="bilinear")

    def conv(maps, weight):
        return F.conv2d(maps, weight, padding=weight.shape[-1] // 2)

    known = network.gathers[1](
        F.relu(conv(deep, network.sides[1].weight)) + F.relu(conv(seen, network.flows[1].weight))
    )
    shallow_side = F.relu(conv(shallow, network.sides[0].weight))
    flow = F.relu(conv(up(seen, shallow), network.flows[0].weight))
    known = network.gathers[0](shallow_side + flow + up(known, shallow))
    score = F.conv2d(F.relu(known), network.score.weight, network.score.bias, padding=1)
    torch.testing.assert_close(network(images), up(score, images))
    torch.testing.assert_close(network(images, mode="predict"), up(score, images)[:, 0].sigmoid())
    torch.testing.assert_close(network(images[:1])[0], network(images)[0])  # nothing of the other image


def test_the_loss_is_binary_cross_entropy_pixel_by_pixel():
    random = np.random.default_rng(2)
    logits, masks = random.normal(size=(2, 1, 3, 4)), (random.random((2, 3, 4)) > 0.5).astype(float)
    masks[0, 0, 0] = 0.25  # a soft target
    sums = []
    for image in range(2):
        total = 0.0
        for y in range(3):
            for x in range(4):
                p, t = 1 / (1 + np.exp(-logits[image, 0, y, x])), masks[image, y, x]
                total -= t * np.log(p) + (1 - t) * np.log(1 - p)
        sums.append(total)
    found = {how: saliency_loss(torch.tensor(logits), torch.tensor(masks), how).item() for how in ("mean", "sum")}
    assert found["sum"] == pytest.approx(np.mean(sums), rel=1e-5)
    assert found["mean"] == pytest.approx(np.mean(sums) / 12, rel=1e-5)
    with pytest.raises(ShapeError, match=r"\(B, 1, H, W\) as the masks \(B, H, W\), but got"):
        saliency_loss(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 3))


def test_cues_of_255_are_foreground_and_reach_every_weight():
    torch.manual_seed(0)
    network = SaliencyNetwork(Levels(), width=4, rates=(2,)).train()
    images, cue = torch.rand(1, 3, 16, 16), torch.zeros(16, 16, dtype=torch.uint8)
    cue[:8] = 255
    loss = network(images, masks=[cue], mode="loss")["loss_saliency"]
    expected = saliency_loss(network(images), (cue[None] > 0).float())
    torch.testing.assert_close(loss, expected)
    loss.backward()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
    with pytest.raises(DataError, match="trains on cues, but the data has none. Use the data set SaliencyCues"):
        network(images, mode="loss")


@pytest.mark.parametrize("frozen", [True, False])
def test_pretrained_norms_rest_unless_told_otherwise(frozen):
    network = SaliencyNetwork(Levels(), width=2, freeze_norms=frozen).train()
    norm = network.backbone.norm
    network(torch.rand(2, 3, 32, 32) + 5)
    assert (norm.running_mean.abs().sum() == 0) == frozen
    assert [parameter.requires_grad for parameter in norm.parameters()] == [not frozen] * 2


def test_choices_that_do_not_fit_are_told_in_words():
    one = {"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"]}
    with pytest.raises(ConfigError, match=r"the backbone gives \['layer4'\] only. Name two or more in its levels"):
        SaliencyNetwork(one)
    with pytest.raises(ConfigError, match="reduction of SaliencyNetwork should be one of 'mean', 'sum', but got 'max'"):
        SaliencyNetwork(Levels(), reduction="max")
    with pytest.raises(ShapeError, match=r"Images should be \(B, 3, H, W\), but got \(1, 1, 8, 8\)"):
        SaliencyNetwork(Levels(), width=2)(torch.zeros(1, 1, 8, 8))


def test_image_and_cue_are_transformed_together(tmp_path):
    inner = cues_for(tmp_path)
    plain = SaliencyCues(str(tmp_path), inner)
    flipped = SaliencyCues(str(tmp_path), inner, pipeline=[{"type": "RandomHorizontalFlip", "p": 1.0}])
    one, other = plain[1], flipped[1]
    assert set(one) == {"inputs", "labels", "image_ids", "masks"}
    assert one["masks"].dtype == torch.uint8
    assert (one["masks"][:, :11] == 255).all()
    assert (one["masks"][:, 11:] == 0).all()
    assert torch.equal(other["inputs"], one["inputs"].flip(-1))
    assert torch.equal(other["masks"], one["masks"].flip(-1))
    steps = [{"type": "RandomCrop", "size": 20}]
    cropped = SaliencyCues(str(tmp_path), inner, pipeline=steps, seed=5)[2]
    whole = plain[2]
    places = [
        (y, x)
        for y in range(13)
        for x in range(21)
        if torch.equal(whole["inputs"][:, y : y + 20, x : x + 20], cropped["inputs"])
    ]
    assert any(torch.equal(whole["masks"][y : y + 20, x : x + 20], cropped["masks"]) for y, x in places)
    assert cropped["masks"].shape == (20, 20)


def test_true_masks_are_never_read_in_training(tmp_path, monkeypatch):
    inner = cues_for(tmp_path)
    with pytest.raises(ConfigError, match="has load_targets=True: a saliency network would train beside true masks"):
        SaliencyCues(str(tmp_path), inner | {"load_targets": True})

    def never(*_):
        raise AssertionError("a true mask was read")

    monkeypatch.setattr(DATASETS.get("SyntheticParts"), "read_mask", never)
    monkeypatch.setattr(DATASETS.get("SyntheticParts"), "targets", never)
    sample = SaliencyCues(str(tmp_path), inner)[0]
    assert "targets" not in sample
    assert "boxes" not in sample


def test_missing_cues_are_told_before_anything_runs(tmp_path):
    inner = cues_for(tmp_path)
    (tmp_path / "cues" / "train" / "00003.png").unlink()
    with pytest.raises(
        DataError, match=r"1 of 4 images have no cue in .*cues, such as 'train/00003'. Run BackgroundCue"
    ):
        SaliencyCues(str(tmp_path), inner)[0]


@pytest.fixture
def config(tmp_path):
    """A training on four scenes and the way there: two epochs of two steps, each of two images one by one."""
    cues_for(tmp_path / "cues_stage")
    path = tmp_path / "net.py"
    path.write_text(
        f"""
default_scope = "wsolkit"
scenes = dict(type="SyntheticParts", num_classes=2, image_size=(40, 32), seed=3)
model = dict(
    type="SaliencyNetwork",
    backbone=dict(type="TimmBackbone", name="resnet10t", levels=["layer1", "layer3"]),
    width=8,
    size=(32, 32),
)
train_dataloader = dict(
    batch_size=1,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="SaliencyCues",
        cues={str(tmp_path / "cues_stage")!r},
        dataset=dict(num_images=4, split="train", **scenes),
        pipeline=[dict(type="RandomHorizontalFlip")],
    ),
)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-3), accumulative_counts=2)
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=2)
randomness = dict(seed=1)
"""
    )
    return str(path)


@pytest.fixture
def scenes(tmp_path):
    """The configuration of the images to predict."""
    path = tmp_path / "scenes.py"
    path.write_text(
        f"test_dataloader = dict(dataset=dict(split='test', test_mode=True, **{SCENES | {'num_images': 3}}))"
    )
    return str(path)


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.slow
def test_it_trains_and_a_resumed_training_is_the_same_to_the_bit(tmp_path, config):
    whole = train(load_config(config), tmp_path / "whole")
    train(load_config(config, {"train_cfg.max_epochs": 1}), tmp_path / "halves")
    half = weights(tmp_path / "halves" / "last.pth")
    halves = train(load_config(config), tmp_path / "halves", resume=True)
    assert any(not torch.equal(half[name], value) for name, value in weights(halves.last).items())
    for name, value in weights(whole.last).items():
        assert torch.equal(weights(halves.last)[name], value), name


def test_ten_images_make_a_step_as_one_batch_of_ten_does():
    torch.manual_seed(0)
    network = SaliencyNetwork(Levels(), width=2, rates=(2,), reduction="sum").train()
    images, cues = torch.rand(4, 3, 16, 16), [torch.full((16, 16), 255 * (n % 2), dtype=torch.uint8) for n in range(4)]
    network.loss(images, cues).backward()
    together = network.score.weight.grad.clone()
    network.zero_grad()
    for image, cue in zip(images, cues, strict=True):
        (network.loss(image[None], [cue]) / 4).backward()
    torch.testing.assert_close(network.score.weight.grad, together)


def test_it_learns_where_the_bright_side_is():
    torch.manual_seed(0)
    backbone = {"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer1", "layer2"]}
    network = SaliencyNetwork(backbone, width=8, freeze_norms=False).train()
    images = torch.zeros(2, 3, 32, 32)
    images[0, :, :, :16], images[1, :, :, 16:] = 1, 1
    cues = [(255 * (image[0] > 0)).to(torch.uint8) for image in images]
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        network.loss(images, cues).backward()
        optimizer.step()
    inside = torch.stack(cues) > 0
    with torch.no_grad():
        found = network.saliency(images)
    assert found[inside].mean() > 0.85
    assert found[~inside].mean() < 0.15


def test_saliency_is_written_at_the_size_of_the_image(tmp_path, config, scenes):
    train(load_config(config, {"train_cfg.max_epochs": 1}), tmp_path / "net")
    checkpoint = tmp_path / "net" / "last.pth"
    stage = SaliencyMaps(config, str(checkpoint), scenes, batch_size=2, device="cpu", sheet=2)
    numbers = stage.run(tmp_path / "out", False)
    assert numbers["images"] == 3
    network = SaliencyNetwork({"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer1", "layer3"]}, width=8)
    network.load_state_dict(weights(checkpoint))
    network.eval()
    dataset = DATASETS.build(SCENES | {"split": "test", "num_images": 3})
    files = [tmp_path / "out" / "saliency" / "test" / f"0000{index}.png" for index in range(3)]
    for index, path in enumerate(files):
        image = dataset.read_image(dataset.record(index))
        from torchvision.transforms.v2.functional import resize

        small = network.data_preprocessor({"inputs": resize(image, [32, 32], antialias=True)[None]})["inputs"]
        wanted = F.interpolate(network(small, mode="predict")[None].detach(), size=(32, 40), mode="bilinear")[0, 0]
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("L", (40, 32))
            assert np.abs(np.array(picture).astype(float) - 255 * wanted.numpy()).max() < 1.5
    whole = [path.read_bytes() for path in files]
    write_gray(files[0], np.zeros((32, 40), np.uint8))
    files[2].unlink()
    stage.run(tmp_path / "out", True)
    assert np.array(Image.open(files[0])).max() == 0  # what is there is not made again
    assert [path.read_bytes() for path in files[1:]] == whole[1:]


def test_images_of_their_own_sizes_go_one_by_one():
    torch.manual_seed(0)
    network = SaliencyNetwork(Levels(), width=2).eval()
    random = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=random) for size in ((16, 24), (24, 16))]
    batch = [(7, images[0], (24, 16)), (9, images[1], (16, 24))]
    found = dict(SaliencyMaps.predicted(network, batch))
    alone = dict(SaliencyMaps.predicted(network, batch[1:]))
    assert {index: maps.shape for index, maps in found.items()} == {7: (16, 24), 9: (24, 16)}
    assert (found[9] == alone[9]).all()


def test_the_configuration_of_another_model_is_refused(tmp_path, config, scenes):
    other = tmp_path / "other.pth"
    torch.save({"state_dict": {}}, other)
    with pytest.raises(ConfigError, match="A SaliencyNetwork is needed, but the model is a Localizer"):
        SaliencyMaps("cam_synthetic", str(other), scenes, options={"model.head.num_classes": 6}).run(tmp_path, False)
    with pytest.raises(CheckpointError, match=r"There is no file of weights .*none.pth"):
        SaliencyMaps(config, str(tmp_path / "none.pth"), scenes).run(tmp_path, False)
    with pytest.raises(ConfigError, match="batch_size >= 1 and workers >= 0, but got 0, 0"):
        SaliencyMaps(config, "x.pth", scenes, batch_size=0)
    with pytest.raises(ConfigError, match=r"should be \(height, width\) in pixels, but got 224"):
        SaliencyNetwork(Levels(), size=224)


def test_settings_hold_both_configurations(config, scenes):
    stage = SaliencyMaps(config, "{net}/last.pth", scenes)
    assert stage.declares()["network"]["model"]["size"] == (32, 32)
    assert stage.declares()["configuration"]["test_dataloader"]["dataset"]["num_images"] == 3
    assert SaliencyMaps("{net}/config.py", "{net}/last.pth", "{cam}/config.py").declares() == {}
