"""ADH: softmax, expected pixels and areas in loops, each branch alone and together, and with the selection of ASS."""

import math

import numpy as np
import pytest
import torch

from tests.support.config_steps import one_step
from wsolkit import MODIFIERS, ConfigError, ShapeError, load_plugins
from wsolkit.config.find import config_files
from wsolkit_adh import (
    AreaHiding,
    channel_scores,
    default_block_size,
    outside_peak,
    outside_squares,
    soft_argmax,
    spatial_softmax,
)


def softmax_by_hand(cells, temperature=1.0):
    parts = {place: math.exp(value / temperature) for place, value in cells.items()}
    return {place: part / sum(parts.values()) for place, part in parts.items()}


def cells_of(a_map):
    return {(y, x): float(a_map[y, x]) for y in range(a_map.shape[0]) for x in range(a_map.shape[1])}


def pixel_by_hand(a_map, locate, temperature):
    return expected_pixel(cells_of(a_map), locate, temperature)


def expected_pixel(cells, locate, temperature):
    if locate == "argmax":
        return max(cells, key=cells.get)
    chances = softmax_by_hand(cells, temperature)
    return tuple(sum(place[axis] * chance for place, chance in chances.items()) for axis in (0, 1))


def score_by_hand(a_map, kind, temperature):
    cells = cells_of(a_map)
    chances = softmax_by_hand(cells, temperature)
    if kind == "act_mean":
        return sum(cells.values()) / len(cells)
    if kind == "peak_prob":
        return max(chances.values())
    return sum(chances[place] * cells[place] for place in cells)


def hide_square(keep, pixel, block_size):
    reach = (block_size - 1) // 2
    for y in range(keep.shape[0]):
        for x in range(keep.shape[1]):
            if abs(y - round(pixel[0])) <= reach and abs(x - round(pixel[1])) <= reach:
                keep[y, x] = 0.0


def mask_by_hand(features, options):
    """Return the mask (h, w) of one image's features (C, h, w)."""
    locate, temperature = options.get("locate", "soft_argmax"), options.get("temperature", 1.0)
    height, width = features.shape[1:]
    keep = np.ones((height, width), np.float32)
    block_size = options.get("block_size") or {14: 3, 28: 7, 8: 1}[min(height, width)]
    attention = features.mean(0)
    threshold = options.get("threshold", 0.8)
    if threshold is not None and attention.max() > 0:
        keep[attention >= np.float32(threshold) * attention.max()] = 0.0
    if options.get("spatial", True):
        free = np.ones((height, width), np.float32)
        for _ in range(options.get("spatial_points", 1)):
            left = {place: value for place, value in cells_of(attention).items() if free[place]} or cells_of(attention)
            pixel = expected_pixel(left, locate, temperature)
            hide_square(free, pixel, block_size)
            hide_square(keep, pixel, block_size)
    if options.get("channel", True):
        kind = options.get("channel_score", "softmax_weighted")
        scores = [score_by_hand(a_map, kind, temperature) for a_map in features]
        order = sorted(range(len(features)), key=lambda c: -scores[c])
        for c in order[: options.get("top_k", 1)]:
            hide_square(keep, pixel_by_hand(features[c], locate, temperature), block_size)
    return keep


def features(images=5, channels=4, size=(14, 16), seed=0):
    """Return positive features with a strong blob at another place in each channel of each image."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    maps = random.random((images, channels, *size)).astype(np.float32)
    for image in range(images):
        for c in range(channels):
            y, x = random.random() * size[0], random.random() * size[1]
            maps[image, c] += (4 + 6 * random.random()) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 4)
    return torch.from_numpy(maps.astype(np.float32))


OPTIONS = [
    {},
    {"threshold": 0.9, "locate": "argmax"},
    {"spatial": False, "channel": False},
    {"threshold": None, "channel": False},
    {"threshold": None, "spatial": False},
    {"channel_score": "act_mean", "block_size": 5},
    {"channel_score": "peak_prob", "temperature": 0.5, "block_size": 1},
    {"top_k": 2, "temperature": 2.0, "spatial": False},
    {"top_k": 9, "locate": "argmax", "threshold": None},
    {"block_size": 9, "locate": "argmax"},
    {"spatial_points": 2},
    {"spatial_points": 3, "locate": "argmax", "block_size": 3, "threshold": None},
    {"spatial_points": 2, "top_k": 2, "temperature": 0.2, "block_size": 5},
]


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("size", [(14, 16), (28, 28), (8, 9)], ids=str)
def test_masks_image_by_image(options, size):
    maps = features(3, 4, size)
    modifier = AreaHiding(**options).train()
    found = modifier(maps)
    lost = 0.0
    for image in range(len(maps)):
        expected = mask_by_hand(maps[image].numpy(), options)
        lost += 1 - expected.mean()
        assert expected.min() == 0
        np.testing.assert_array_equal(found[image].numpy(), maps[image].numpy() * expected)
    assert modifier.scalars()["hidden"] == pytest.approx(lost / len(maps), abs=1e-6)


def test_the_branches_of_the_ablation_add_up():
    maps = features()
    alone = [
        AreaHiding(spatial=False, channel=False),
        AreaHiding(threshold=None, channel=False),
        AreaHiding(threshold=None, spatial=False),
    ]
    together = torch.ones(5, 14, 16, dtype=torch.bool)
    for modifier in alone:
        kept = modifier.kept_cells(maps)
        assert not kept.all()
        together &= kept
    assert torch.equal(AreaHiding().kept_cells(maps), together)


def test_softmax_and_expected_pixel_by_hand():
    maps = torch.tensor([[0.0, math.log(2.0)], [math.log(4.0), 0.0]])
    torch.testing.assert_close(spatial_softmax(maps), torch.tensor([[0.125, 0.25], [0.5, 0.125]]))
    sharper = spatial_softmax(maps, temperature=0.5)  # 1, 4, 16, 1
    torch.testing.assert_close(sharper, torch.tensor([[1.0, 4.0], [16.0, 1.0]]) / 22)
    torch.testing.assert_close(soft_argmax(spatial_softmax(maps)), torch.tensor([0.625, 0.375]))
    huge = spatial_softmax(torch.tensor([[1e4, 0.0]], dtype=torch.bfloat16))
    assert huge.dtype == torch.float32
    assert huge.tolist() == [[1.0, 0.0]]


def test_the_expected_pixel_lies_between_two_blobs_and_the_strongest_cell_on_one():
    maps = torch.zeros(1, 1, 3, 9)
    maps[..., 1, 0], maps[..., 1, 8] = 20.0, 20.1
    keep = {}
    for locate in ("soft_argmax", "argmax"):
        modifier = AreaHiding(threshold=None, channel=False, locate=locate, block_size=1, temperature=10.0)
        keep[locate] = (~modifier.kept_cells(maps)).nonzero()[:, 1:].tolist()
    assert keep == {"soft_argmax": [[1, 4]], "argmax": [[1, 8]]}


def test_the_second_point_of_the_attention_map_lies_outside_of_the_first_square():
    maps = torch.zeros(1, 1, 3, 9)
    maps[..., 1, 0], maps[..., 1, 8] = 30.0, 40.0
    one = AreaHiding(threshold=None, channel=False, block_size=3)
    two = AreaHiding(threshold=None, channel=False, block_size=3, spatial_points=2)
    assert (~one.kept_cells(maps)).nonzero()[:, 2].unique().tolist() == [7, 8]
    assert (~two.kept_cells(maps)).nonzero()[:, 2].unique().tolist() == [0, 1, 7, 8]
    maps[..., 1, 0] = 40.0  # the expected pixel is the middle one
    whole = AreaHiding(threshold=None, channel=False, block_size=9, spatial_points=2).train()
    assert torch.equal(whole(maps), maps)  # nothing is left for a second point, nor of the image, which is spared
    with pytest.raises(ConfigError, match="spatial_points of AreaHiding should be a whole number of at least 1, but"):
        AreaHiding(spatial_points=0)


def test_squares_are_rounded_to_cells_and_cut_off_at_the_border():
    kept = outside_squares(torch.tensor([[[0.4, 3.6], [2.6, 0.0]], [[1.0, 1.0], [1.0, 1.0]]]), (4, 5), 3)
    assert kept[0].int().tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1]]
    assert kept[1].int().tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [1, 1, 1, 1, 1]]
    assert not outside_squares(torch.tensor([[[1.0, 1.0]]]), (3, 3), 9).any()


def test_the_side_of_the_squares_follows_the_shorter_side_of_the_map():
    assert [default_block_size(size) for size in ((28, 28), (14, 14), (14, 60), (31, 31), (20, 20), (3, 3))] == [
        7,
        3,
        3,
        7,
        5,
        1,
    ]


def test_scores_of_channels_by_loops_and_the_printed_one_tells_nothing():
    maps = features(2, 5, (6, 7)) - 1.0
    for kind in ("softmax_weighted", "act_mean", "peak_prob"):
        found = channel_scores(maps, kind, 0.7)
        for image in range(2):
            for c in range(5):
                expected = score_by_hand(maps[image, c].numpy(), kind, 0.7)
                assert float(found[image, c]) == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(channel_scores(maps, "literal"), torch.full((2, 5), 1 / 42))


def test_the_channel_is_chosen_by_its_score():
    maps = torch.zeros(1, 2, 5, 5)
    maps[0, 0] = 2.0  # most in the mean
    maps[0, 0, 0, 0] = 2.5
    maps[0, 1, 4, 4] = 9.0  # the highest peak
    hidden = {}
    for kind in ("act_mean", "softmax_weighted", "peak_prob"):
        modifier = AreaHiding(None, spatial=False, channel_score=kind, locate="argmax", block_size=1)
        hidden[kind] = (~modifier.kept_cells(maps)).nonzero()[0, 1:].tolist()
    assert hidden == {"act_mean": [0, 0], "softmax_weighted": [4, 4], "peak_prob": [4, 4]}


def test_maps_without_a_positive_cell_have_no_peak():
    attention = torch.tensor([[[-1.0, -4.0]], [[0.0, 0.0]], [[1.0, 0.8]], [[1.0, 0.79]]])
    assert outside_peak(attention, 0.8)[:, 0].tolist() == [[True, True], [True, True], [False, False], [False, True]]
    maps = -torch.rand(2, 3, 6, 6)
    assert torch.equal(AreaHiding(spatial=False, channel=False).train()(maps), maps)


def test_the_log_tells_when_expected_pixels_are_the_centre():
    flat = torch.rand(2, 3, 14, 14) * 0.01
    modifier = AreaHiding().train()
    assert modifier.scalars() == {}
    modifier(flat)
    noted = modifier.scalars()
    assert noted["spatial_off_centre"] < 0.01
    assert noted["channel_off_centre"] < 0.01
    corner = torch.zeros(1, 3, 13, 13)
    corner[..., 12, 12] = 50.0
    modifier(corner)
    assert modifier.scalars()["spatial_off_centre"] == pytest.approx(1, abs=1e-4)
    half = torch.zeros(1, 1, 13, 13)
    half[..., 6, 9] = 50.0  # 3 cells from the centre (6, 6), a corner is sqrt(72) away
    modifier = AreaHiding(spatial=False).train()
    modifier(half)
    noted = modifier.scalars()
    assert noted["channel_off_centre"] == pytest.approx(3 / math.sqrt(72), abs=1e-4)
    assert set(noted) == {"hidden", "channel_off_centre"}
    modifier = AreaHiding(spatial=False, channel=False).train()
    modifier(half)
    assert set(modifier.scalars()) == {"hidden"}


@pytest.mark.parametrize("kind", ["softmax_weighted", "act_mean", "peak_prob"])
def test_the_strongest_channel_is_the_same_under_autocast(kind):
    maps = (2 * torch.rand(16, 512, 28, 28, generator=torch.Generator().manual_seed(0))).bfloat16()
    expected = channel_scores(maps, kind)
    with torch.autocast("cpu", torch.bfloat16):
        found = channel_scores(maps, kind)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_no_image_depends_on_another():
    maps = features(6)
    together = AreaHiding().kept_cells(maps)
    for image in range(6):
        assert torch.equal(AreaHiding().kept_cells(maps[image : image + 1])[0], together[image])


def test_evaluation_is_the_identity_and_gradients_are_the_mask():
    maps = features().requires_grad_()
    modifier = AreaHiding()
    assert modifier.eval()(maps) is maps
    modifier.train()(maps).sum().backward()
    expected = modifier.kept_cells(maps)[:, None].float().expand_as(maps)
    assert torch.equal(maps.grad, expected)
    extreme = (features() * 1e30).requires_grad_()
    modifier(extreme).sum().backward()
    assert torch.isfinite(extreme.grad).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_kind_and_layout_of_the_maps_stay_and_the_layout_changes_no_cell(dtype):
    maps = features().to(dtype)
    inner = maps.to(memory_format=torch.channels_last)
    found = AreaHiding().train()(inner)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found, AreaHiding().train()(maps))


def test_what_is_left_of_an_image_is_shown():
    maps = features(1)
    attention, left = AreaHiding().panels(maps, 0)
    assert np.array_equal(left.picture, mask_by_hand(maps[0].numpy(), {}) > 0)
    assert (attention.picture.min(), attention.picture.max()) == (0, 1)
    assert attention.picture.argmax() == maps[0].mean(0).numpy().argmax()


def test_rescaling_makes_up_for_the_hidden_cells():
    maps = features()
    modifier = AreaHiding(rescale=True).train()
    keep = modifier.kept_cells(maps)
    factors = 14 * 16 / keep.sum((1, 2))
    torch.testing.assert_close(modifier(maps), maps * (keep * factors[:, None, None])[:, None])


def test_an_image_of_which_nothing_would_be_left_keeps_all_and_its_gradient():
    maps = torch.stack([torch.ones(2, 14, 16), features()[0, :2]]).requires_grad_()
    modifier = AreaHiding(rescale=True).train()
    found = modifier(maps)
    assert torch.equal(found[0], maps[0])  # the same everywhere: all of it is the peak
    assert 0 < float((found[1, 0] == 0).float().mean()) < 1
    found.sum().backward()
    assert bool((maps.grad[0] == 1).all())


def test_a_block_as_large_as_the_map_is_refused():
    maps = features()  # 14 x 16 cells
    words = "block_size=31, which hides maps of 14 x 16 cells whole, .* such as 3, or leave it out"
    with pytest.raises(ShapeError, match=words):
        AreaHiding(block_size=31).train()(maps)
    assert AreaHiding(block_size=29, locate="argmax").train()(maps).shape == maps.shape
    assert torch.equal(
        AreaHiding(block_size=31, spatial=False, channel=False).train()(maps),
        AreaHiding(spatial=False, channel=False).train()(maps),
    )


def test_it_hides_for_the_selection_of_ass():
    maps = torch.zeros(3, 2, 14, 14)
    maps[0, :, 3:11, 3:11] = 5.0  # an object with a peak: hidden
    maps[0, :, 6:8, 6:8] = 10.0
    maps[1, :, 2:4, 2:4] = 5.0  # a small one: passed
    maps[1, :, 2, 2] = 10.0
    maps[2] = 1.0  # strong corners: clutter
    maps[2, :, 4:10, 4:10] = 5.0
    maps[2, :, [0, 0, 13, 13], [0, 13, 0, 13]] = 10.0
    hide = {"type": "AreaHiding", "locate": "argmax", "block_size": 3}
    selection = MODIFIERS.build({"type": "AttentionSelection", "hide": hide}).train()
    found = selection(maps)
    kept = AreaHiding(locate="argmax", block_size=3).kept_cells(maps)
    assert torch.equal(found[0], maps[0] * kept[0])
    assert found[0, 0, 5:8, 5:8].sum() == 0  # the square goes beyond the peak
    assert torch.equal(found[1], maps[1])
    background = maps[2, 0] < 2
    assert torch.equal(found[2], maps[2] * kept[2] * ~background)
    noted = selection.scalars()
    assert noted["hide_hidden"] == pytest.approx(1 - float(kept[[0, 2]].float().mean()))
    assert noted["clutter"] == noted["pass"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threshold": 0.0}, r"threshold of AreaHiding should be a number in \(0, 1\] or None, but got 0\.0"),
        ({"threshold": None, "spatial": False, "channel": False}, "AreaHiding hides nothing with threshold=None"),
        ({"block_size": 4}, "block_size of AreaHiding is an odd number of cells, but got 4"),
        ({"block_size": 0}, "block_size of AreaHiding is an odd number of cells, but got 0"),
        (
            {"channel_score": "gap"},
            "channel_score of AreaHiding should be one of 'softmax_weighted', .*, but got 'gap'",
        ),
        ({"locate": "centre"}, "locate of AreaHiding should be one of 'soft_argmax', 'argmax', but got 'centre'"),
        ({"top_k": 0}, "top_k of AreaHiding should be a whole number of at least 1, but got 0"),
        ({"temperature": 0}, "temperature of AreaHiding should be a number above 0, but got 0"),
    ],
)
def test_wrong_arguments_are_explained(options, words):
    with pytest.raises(ConfigError, match=words):
        AreaHiding(**options)


def test_the_method_is_found_and_its_card_has_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "ADH"]
    assert source.plugin == "adh"
    assert set(found.configs) == {name for name in config_files() if name.startswith("adh_")}
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.2f}" in card


CONFIGS = [("adh_vgg16_cub", 0.8), ("adh_resnet50_cub", 0.9), ("adh_mobilenetv2_birds50", 0.8)]
"""Those of ILSVRC are the same networks."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "threshold"), CONFIGS)
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_network(name, threshold, tmp_path):
    net, predictions = one_step(name, tmp_path / "run")
    assert len(net.feature_modifiers) == 3
    for selection in net.feature_modifiers.values():
        assert isinstance(selection.hide, AreaHiding)
        assert selection.hide.threshold == selection.rule.alpha_fg == threshold
    assert predictions[0].maps.shape == (1, 64, 64)
