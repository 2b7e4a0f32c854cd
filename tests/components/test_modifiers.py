import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from wsolkit.components.modifiers import DropBlock, SpatialDropout, drop_block_mask, hide, seed_rate
from wsolkit.errors import ConfigError


def loop_mask(seeds, block_size, size):
    """Paint every block by hand, cell by cell."""
    keep = np.ones((*seeds.shape[:2], *size), dtype=bool)
    blocks = [min(block_size, side) for side in size]
    for image, channel, row, column in np.argwhere(seeds.numpy()):
        start = []
        for seed, positions, side, block in zip((row, column), seeds.shape[2:], size, blocks, strict=True):
            start.append(seed if positions == side - block + 1 else seed - block // 2)
        for y in range(start[0], start[0] + blocks[0]):
            for x in range(start[1], start[1] + blocks[1]):
                if 0 <= y < size[0] and 0 <= x < size[1]:
                    keep[image, channel, y, x] = False
    return torch.from_numpy(keep)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 11), st.booleans(), st.integers(0, 10**6))
def test_masks_equal_blocks_painted_by_hand(height, width, block_size, inside, seed):
    shape = [max(side - block_size, 0) + 1 for side in (height, width)] if inside else [height, width]
    seeds = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(seed)) < 0.15
    found = drop_block_mask(seeds, block_size, (height, width))
    assert torch.equal(found, loop_mask(seeds, block_size, (height, width)))


def test_seed_rates_follow_the_two_conventions():
    # paper, eq. 1: p / s^2 * f^2 / (f - s + 1)^2, here with p .1, s 7, f 14
    assert seed_rate(0.1, 7, (14, 14)) == pytest.approx(0.1 / 49 * 196 / 64)
    assert seed_rate(0.1, 7, (14, 14), inside=False) == pytest.approx(0.1 / 49)
    assert seed_rate(0.1, 3, (4, 5)) == pytest.approx(0.1 / 9 * 20 / (2 * 3))
    # a block as large as the map drops all of it or nothing
    assert seed_rate(0.25, 99, (4, 5)) == pytest.approx(0.25)


@pytest.mark.parametrize("seeds", ["inside", "anywhere"])
def test_kept_cells_are_scaled_by_cells_over_kept_cells(seeds):
    torch.manual_seed(0)
    modifier = DropBlock(drop_prob=0.3, block_size=3, seeds=seeds)
    maps = torch.rand(4, 8, 10, 12) + 1

    dropped = modifier(maps)

    keep = dropped != 0
    torch.testing.assert_close(dropped[keep], maps[keep] * keep.numel() / keep.sum())
    lost = modifier.scalars()["dropped"]
    assert 0.15 < lost < 0.35
    assert lost == pytest.approx(1 - float(keep.float().mean()), abs=1e-6)


@pytest.mark.parametrize("rescale", [None, "image", "batch"])
@pytest.mark.parametrize("channels", [0, 1, 3])
def test_what_is_hidden_and_scaled_cell_by_cell(rescale, channels):
    generator = torch.Generator().manual_seed(channels)
    maps = torch.randn(4, 3, 5, 6, generator=generator, dtype=torch.float64)
    keep = torch.rand(4, *[channels] * bool(channels), 5, 6, generator=generator) < 0.6
    keep[2] = False  # nothing of one image is kept
    found = hide(maps, keep, rescale)
    cells = keep[:, None] if channels == 0 else keep
    every = int(cells.sum())
    for image in range(4):
        kept = int(cells[image].sum())
        scale = {None: 1.0, "image": cells[0].numel() / max(kept, 1), "batch": cells.numel() / max(every, 1)}[rescale]
        for channel in range(3):
            for y, x in np.ndindex(5, 6):
                shown = bool(cells[image, channel if channels == 3 else 0, y, x])
                expected = float(maps[image, channel, y, x]) * scale * shown
                assert float(found[image, channel, y, x]) == pytest.approx(expected, rel=1e-6)


def test_what_is_hidden_of_all_is_zero_and_not_nan():
    for rescale in (None, "image", "batch"):
        assert hide(torch.ones(2, 3, 2, 2), torch.zeros(2, 2, 2, dtype=torch.bool), rescale).eq(0).all()
    with pytest.raises(ConfigError, match="rescale should be 'image', 'batch' or None, but got 'cell'"):
        hide(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, dtype=torch.bool), "cell")


def test_one_draw_per_image_is_shared_by_the_channels():
    torch.manual_seed(0)
    dropped = DropBlock(drop_prob=0.3, block_size=3, per_channel=False)(torch.ones(6, 5, 9, 9)) == 0
    assert dropped.any()
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert not torch.equal(dropped[0], dropped[1])


def test_losing_everything_gives_zeros_and_finite_gradients():
    modifier = DropBlock(drop_prob=0.999, block_size=20)
    maps = torch.rand(1, 1, 4, 4, requires_grad=True)
    torch.manual_seed(0)
    modifier(maps).sum().backward()
    assert modifier.scalars() == {"dropped": 1.0}
    assert maps.grad.abs().sum() == 0


@pytest.mark.parametrize("modifier", [DropBlock(0.5, 2), SpatialDropout(0.5)])
def test_eval_mode_and_half_precision(modifier):
    maps = torch.rand(2, 4, 6, 6)
    assert modifier.eval()(maps) is maps
    changed = modifier.train()(maps.bfloat16())
    assert changed.dtype == torch.bfloat16
    assert changed.shape == maps.shape


def test_no_probability_changes_nothing():
    maps = torch.rand(2, 4, 6, 6)
    assert torch.equal(DropBlock(0.0)(maps), maps)
    assert torch.equal(SpatialDropout(0.0)(maps), maps)


def test_spatial_dropout_drops_whole_channels():
    torch.manual_seed(0)
    dropped = SpatialDropout(0.25)(torch.ones(64, 16, 3, 3))
    zero = (dropped == 0).flatten(2)
    assert torch.equal(zero.all(dim=2), zero.any(dim=2))
    assert 0.2 < zero.float().mean() < 0.3
    assert dropped.max() == pytest.approx(1 / 0.75)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: DropBlock(drop_prob=1.0), r"drop_prob of DropBlock should be a number in \[0, 1\), but got 1\.0"),
        (lambda: DropBlock(block_size=0), "block_size of DropBlock should be a whole number of at least 1, but got 0"),
        (
            lambda: DropBlock(seeds="outside"),
            "seeds of DropBlock should be one of 'inside', 'anywhere', but got 'outside'",
        ),
        (lambda: SpatialDropout(-0.1), r"drop_prob of SpatialDropout should be a number in \[0, 1\), but got -0\.1"),
    ],
)
def test_wrong_arguments_are_explained(build, words):
    with pytest.raises(ConfigError, match=words):
        build()
