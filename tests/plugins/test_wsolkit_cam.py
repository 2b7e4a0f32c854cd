"""CAM: the equation by hand and by a loop, the two forms, and a life without the plugin."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wsolkit import ConfigError
from wsolkit.components.heads import ConvHead
from wsolkit.config.find import config_files
from wsolkit.plugins.loading import load_plugins
from wsolkit_cam import CAMHead

ROOT = Path(__file__).parents[2]


def class_activation_map(features, weight, bias, image, c, x, y):
    """Equation 2 of the paper, one cell at a time: M_c(x, y) = sum over k of w_k^c f_k(x, y)."""
    total = bias[c].item()
    for k in range(features.shape[1]):
        total += weight[c, k].item() * features[image, k, y, x].item()
    return total


def head_with(form, weight, bias, channels=2):
    head = CAMHead({"last": channels}, num_classes=len(weight), form=form)
    with torch.no_grad():
        head.classifier.weight.copy_(weight)
        head.classifier.bias.copy_(bias)
    return head


@pytest.mark.parametrize("form", ["linear", "conv"])
def test_numbers_worked_out_by_hand(form):
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, 1.0]]]])  # (1, 2, 2, 2)
    weight = torch.tensor([[1.0, -2.0], [0.5, 4.0]])
    found = head_with(form, weight, torch.tensor([0.0, 1.0]))({"last": features})
    # map 0 = f0 - 2 f1; map 1 = f0 / 2 + 4 f1 + 1; the logits are their means
    torch.testing.assert_close(found.maps, torch.tensor([[[[1.0, 0.0], [3.0, 2.0]], [[1.5, 6.0], [2.5, 7.0]]]]))
    torch.testing.assert_close(found.logits, torch.tensor([[1.5, 4.25]]))
    assert found.features is features


@pytest.mark.parametrize("form", ["linear", "conv"])
def test_the_paper_s_equation_in_a_loop(form):
    torch.manual_seed(0)
    features, weight, bias = torch.rand(2, 5, 3, 4), torch.randn(3, 5), torch.randn(3)
    found = head_with(form, weight, bias, channels=5)({"last": features})
    for image in range(2):
        for c in range(3):
            expected = [
                [class_activation_map(features, weight, bias, image, c, x, y) for x in range(4)] for y in range(3)
            ]
            torch.testing.assert_close(found.maps[image, c], torch.tensor(expected))
            torch.testing.assert_close(found.logits[image, c], torch.tensor(expected).mean())


def test_both_forms_are_one_with_the_same_weights():
    torch.manual_seed(1)
    linear = CAMHead({"last": 6}, num_classes=4)
    conv = CAMHead({"last": 6}, num_classes=4, form="conv")
    conv.load_state_dict(linear.state_dict())
    core = ConvHead({"last": 6}, num_classes=4)
    core.load_state_dict(
        {
            name: value.reshape(getattr(core.classifier, name.split(".")[-1]).shape)
            for name, value in linear.state_dict().items()
        }
    )
    features = torch.rand(2, 6, 5, 5, requires_grad=True)
    losses = []
    for head in (linear, conv, core):
        found = head({"last": features})
        torch.testing.assert_close(found.maps, linear({"last": features}).maps)
        torch.testing.assert_close(found.logits, linear({"last": features}).logits)
        losses.append(torch.autograd.grad(found.logits.square().sum(), features)[0])
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(losses[0], losses[2])


def test_map_modifiers_belong_to_the_conv_form():
    class Halve(torch.nn.Module):
        def forward(self, maps):
            return maps / 2

    assert not CAMHead({"last": 2}, 2).takes_map_modifiers
    head = CAMHead({"last": 2}, 2, form="conv")
    assert head.takes_map_modifiers
    features = torch.rand(1, 2, 3, 3)
    before = head({"last": features})
    head.map_modifiers.append(Halve())
    torch.testing.assert_close(head({"last": features}).logits, before.logits / 2)


def test_without_a_bias_the_map_of_nothing_is_nothing():
    head = CAMHead({"last": 2}, 2, bias=False)
    assert head.classifier.bias is None
    assert head({"last": torch.zeros(1, 2, 3, 3)}).maps.abs().max() == 0


def test_the_level_is_the_deepest_or_the_one_asked_for():
    levels = {"layer3": torch.rand(1, 2, 8, 8), "layer4": torch.rand(1, 4, 4, 4)}
    channels = {"layer3": 2, "layer4": 4}
    assert CAMHead(channels, 3)(levels).maps.shape == (1, 3, 4, 4)
    assert CAMHead(channels, 3, level="layer3")(levels).maps.shape == (1, 3, 8, 8)
    with pytest.raises(ConfigError, match=r"gives no level 'layer5' to the head. Did you mean"):
        CAMHead(channels, 3, level="layer5")


def test_an_unknown_form_is_refused():
    with pytest.raises(ConfigError, match="form of CAMHead should be one of 'linear', 'conv', but got 'fc'"):
        CAMHead({"last": 2}, 2, form="fc")


def test_the_method_and_its_card_are_found():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "CAM"]
    assert (source.plugin, found.year, found.venue) == ("cam", 2016, "CVPR")
    assert found.reported["ILSVRC VGGnet-GAP top-1 loc error"] == 57.20
    assert set(found.configs) <= set(config_files())
    card = found.card_text()
    headings = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert headings == ["Use", "Parts", "Settings", "What differs from the paper and why", "Numbers", "Reference"]
    for value in found.reported.values():
        assert f"{value:.2f}" in card or f"{value:.1f}" in card, f"the card lacks {value}"


def test_without_the_plugin_everything_else_works(tmp_path):
    shutil.copytree(ROOT / "wsolkit", tmp_path / "wsolkit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins", ignore=shutil.ignore_patterns("__pycache__", "wsolkit_cam"))
    entry_points = [line for line in declared_entry_points() if not line.endswith('"wsolkit_cam"')]
    info = tmp_path / "wsolkit-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wsolkit\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[wsolkit]\n" + "\n".join(entry_points).replace('"', "") + "\n")
    path = os.pathsep.join([str(tmp_path), str(tmp_path / "plugins")])
    done = subprocess.run(
        [sys.executable, "-m", "wsolkit.cli.main", "list", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not found["broken"], found["broken"]
    names = {component["name"] for component in found["components"]}
    assert "LinearHead" in names
    assert "CAMHead" not in names
    assert "CAM" not in {method["name"] for method in found["methods"]}
    assert all(str(ROOT) not in warning for warning in done.stderr.splitlines())


def declared_entry_points():
    """Return the lines of pyproject.toml that declare plugins."""
    text = (ROOT / "pyproject.toml").read_text().split("[project.entry-points.wsolkit]\n")[1]
    return text.split("\n\n")[0].splitlines()
