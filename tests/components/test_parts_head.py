"""The head of small things: what its two convolutions make, and that it finds a cell that only the label tells."""

import pytest
import torch

from wsolkit import Batch
from wsolkit.components import CrossEntropyOrNothing, PartsHead

CHANNELS = {"middle": 6, "deep": 4}


def test_logits_are_the_scores_less_that_of_nothing():
    torch.manual_seed(0)
    head = PartsHead(CHANNELS, 3, level="middle", pooling={"type": "MaxPooling"}, standardize=False)
    features = torch.randn(2, 6, 5, 5)
    found = head({"middle": features, "deep": torch.randn(2, 4, 5, 5)})
    scores = torch.einsum("bchw,kc->bkhw", features, head.judge.weight[:, :, 0, 0]).amax((2, 3)) + head.judge.bias
    torch.testing.assert_close(found.logits, scores[:, :3] - scores[:, 3:])
    maps = torch.einsum("bchw,kc->bkhw", features, head.finder.weight[:, :, 0, 0])
    torch.testing.assert_close(found.maps, maps)
    torch.testing.assert_close(found.extras["map_logits"], maps.amax((2, 3)))


def test_it_finds_the_one_cell_that_only_the_label_tells():
    """Class 0 puts one cell into a channel of small numbers, class 1 into another; a third of the images has none."""
    torch.manual_seed(0)
    labels = torch.arange(60) % 3
    features = torch.randn(60, 6, 8, 8) * torch.tensor([1, 100, 1, 100, 10, 1.0])[:, None, None]
    places = torch.randint(0, 8, (60, 2))
    for image, label in enumerate(labels.tolist()):
        if label < 2:
            features[image, 2 * label, *places[image]] += 8
    hot = torch.nn.functional.one_hot(labels, 3)[:, :2].float()
    batch = Batch(torch.zeros(60, 3, 8, 8), hot)
    head = PartsHead({"middle": 6}, 2)
    losses = [CrossEntropyOrNothing(), CrossEntropyOrNothing(logits="map_logits")]
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(40):
        activation = head({"middle": features})
        optimizer.zero_grad()
        sum(loss(activation, batch) for loss in losses).backward()
        optimizer.step()
    found = head.eval()({"middle": features})
    predicted = torch.where(found.logits.amax(1) > 0, found.logits.argmax(1), 2)
    assert (predicted == labels).float().mean() > 0.95
    shown = labels < 2
    peaks = found.of(labels.clamp_max(1)).flatten(1).argmax(1)
    assert (peaks == places[:, 0] * 8 + places[:, 1])[shown].float().mean() > 0.9


@pytest.mark.parametrize("standardize", [True, False])
def test_bf16_scores_do_not_tie(standardize):
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        found = PartsHead({"deep": 4}, 5, standardize=standardize).eval()({"deep": torch.randn(9, 4, 7, 7)})
    assert (found.maps.dtype, found.logits.dtype, found.extras["map_logits"].dtype) == (torch.float32,) * 3
