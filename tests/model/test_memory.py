"""A model that is larger than the memory is refused before its numbers are written."""

import pytest
import torch
from torch import nn

from wsolkit.config.load_model import with_weights
from wsolkit.errors import ConfigError
from wsolkit.model.localizer import Localizer
from wsolkit.model.memory import machine_memory, within_memory


def test_parameters_and_buffers_count_together(monkeypatch):
    filled = []
    monkeypatch.setattr(nn.Linear, "reset_parameters", lambda self: filled.append(self))
    with within_memory(2 * (800 + 80) * 4 + 3 * 80 * 4):
        nn.Sequential(nn.Linear(10, 80), nn.Linear(10, 80))
    assert len(filled) == 2
    with (
        pytest.raises(
            ConfigError, match=r"too large: with weight \(90 x 10\) of Linear it takes 0\.0 GB, and the machine"
        ),
        within_memory(3500),
    ):
        nn.Linear(10, 90)
    assert len(filled) == 2  # nothing was written
    with pytest.raises(ConfigError, match=r"with running_var \(80\) of BatchNorm1d"), within_memory(3 * 80 * 4 + 8):
        nn.BatchNorm1d(80)
    nn.Linear(10, 9000)  # nobody watches any more


@pytest.mark.parametrize("classes", [2_000_000_000, 10**13, 2**62, 10**30])
def test_a_head_of_thousands_of_millions_of_classes_is_refused_in_words(classes):
    head = {"type": "LinearHead", "num_classes": classes}
    backbone = {"type": "TimmBackbone", "name": "resnet18"}
    with pytest.raises(ConfigError, match="The model is too large: .*Correct the sizes in model, such as num_classes"):
        with_weights({"type": "Localizer", "backbone": backbone, "head": head}, Localizer, {"state_dict": {}}, "a.pth")


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="must match"), within_memory():
        torch.zeros(2) + torch.zeros(3)
    assert machine_memory() > 2**28
