"""Parts are compiled whole: no graph breaks within a module that a training would compile."""

import pytest
import torch

from tests.support.random_network import random_network
from wsolkit import watch
from wsolkit.interfaces import MapModifier, Pooling
from wsolkit.registry import HEADS, MODIFIERS, POOLINGS

BUILT = {
    "heads": (
        HEADS,
        [
            {"type": "LinearHead", "num_classes": 3, "channels": {"final": 8}},
            {"type": "ConvHead", "num_classes": 3, "channels": {"final": 8}},
            {"type": "CAMHead", "num_classes": 3, "channels": {"final": 8}},
        ],
    ),
    "modifiers": (
        MODIFIERS,
        [
            {"type": "AMM", "channels": 8},
            {"type": "AreaHiding"},
            {"type": "AttentionSelection"},
            {"type": "AttentionSelection", "channels": 8},
            {"type": "DropBlock", "block_size": 3},
            {"type": "ImportanceOrDrop"},
            {"type": "ScaleGradient", "factor": 0.5},
            {"type": "SequentialDrop"},
            {"type": "SequentialDrop", "straight_through": True, "temperature": 0.1},
            {"type": "SpatialDropout"},
        ],
    ),
    "poolings": (
        POOLINGS,
        [
            {"type": f"{name}Pooling"}
            for name in ("Average", "Max", "LogSumExp", "TopCells", "SoftmaxWeighted", "Wildcat")
        ],
    ),
}


@pytest.mark.parametrize(
    ("registry", "config"),
    [pytest.param(registry, config, id=str(config)) for registry, configs in BUILT.values() for config in configs],
)
def test_a_part_is_one_graph(registry, config):
    torch.manual_seed(0)
    part = registry.build(dict(config)).train()
    maps = torch.rand(2, 8, 7, 7, requires_grad=True)
    given = maps if isinstance(part, (MapModifier, Pooling)) else {"final": maps}
    torch._dynamo.reset()
    compiled = torch.compile(part, fullgraph=True, backend="eager")
    torch.manual_seed(1)
    found = numbers(compiled(given))
    torch.manual_seed(1)
    expected = numbers(part(given))
    assert found
    torch.testing.assert_close(found, expected)


def numbers(found):
    """Return the tensors in what a part answers."""
    if isinstance(found, torch.Tensor):
        return [found]
    values = found.values() if isinstance(found, dict) else vars(found).values()
    return [value for value in values if isinstance(value, torch.Tensor)]


def test_a_compiled_backbone_is_watched_as_it_is_written():
    images, wanted = torch.randn(2, 3, 64, 64), torch.tensor([[1.0, 0, 0, 0], [0, 0, 2.0, -1.0]])
    plain, compiled = random_network(), random_network(compile={"backend": "eager"})
    with torch.no_grad():
        compiled.activate(images)
    found = [watch(each, images, ["layer3"], "Test")[1].gradients(wanted)[0] for each in (plain, compiled)]
    torch.testing.assert_close(*found, atol=1e-6, rtol=1e-3)
