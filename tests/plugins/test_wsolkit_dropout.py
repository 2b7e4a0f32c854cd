"""Max-drop against loops, and the configurations of the dropout family."""

import pytest
import torch

from tests.support.model_step import model_step
from wsolkit import MODIFIERS, ConfigError, load_plugins
from wsolkit_dropout import MaxDrop, maxima


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def without_maxima(maps, among):
    """Take the maximum of each map, or of each cell over channels, away by hand."""
    found = maps.clone()
    images, channels, height, width = maps.shape
    for image in range(images):
        if among == "map":
            groups = [[(c, y, x) for y in range(height) for x in range(width)] for c in range(channels)]
        else:
            groups = [[(c, y, x) for c in range(channels)] for y in range(height) for x in range(width)]
        for group in groups:
            highest = max(float(maps[image][place]) for place in group)
            for place in group:
                if float(maps[image][place]) == highest:
                    found[(image, *place)] = 0
    return found


@pytest.mark.parametrize("among", ["map", "cell"])
def test_maxima_are_dropped_as_a_loop_finds_them(among):
    maps = drawn(2, 3, 4, 5)
    maps[0, 1, 2, 2] = maps[0, 1, 0, 0] = 9.0  # of equal ones both
    found = MaxDrop(drop_prob=1.0, among=among)(maps)
    torch.testing.assert_close(found, without_maxima(maps, among), rtol=0, atol=0)
    assert maxima(maps, among).sum() == (found != maps).sum()


@pytest.mark.parametrize("among", ["map", "cell"])
def test_each_maximum_is_drawn_by_itself(among):
    torch.manual_seed(0)
    maps = drawn(8, 16, 4, 4).abs() + 0.1
    found = MaxDrop(drop_prob=0.3, among=among)(maps)
    lost = (found == 0) & maxima(maps, among)
    assert torch.equal(lost, found == 0)
    assert 0.2 < float(lost.sum() / maxima(maps, among).sum()) < 0.4


def test_nothing_is_dropped_in_evaluation_or_with_probability_0():
    maps = drawn(1, 2, 3, 3)
    assert MaxDrop(drop_prob=1.0).eval()(maps) is maps
    torch.testing.assert_close(MaxDrop(drop_prob=0.0)(maps), maps)


@pytest.mark.parametrize("options", [{"drop_prob": 1.1}, {"among": "image"}])
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        MODIFIERS.build({"type": "MaxDrop", **options})


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("maxdrop", "MaxDrop"),
        ("dropout", "Dropout"),
        ("spatial_dropout", "SpatialDropout"),
        ("dropblock", "DropBlock"),
    ],
)
def test_the_configurations_train_and_predict(name, part):
    model, _, predictions = model_step(f"{name}_lite0_birds50")
    assert [type(each).__name__ for _, each in model.named_modifiers()] == [part]
    assert all(torch.isfinite(each.maps).all() for each in predictions)


def test_each_of_the_family_has_a_card():
    names = {method.name for method, source in load_plugins().methods if source.plugin == "dropout"}
    assert names == {"MaxDrop", "Dropout", "SpatialDropout", "DropBlock"}
