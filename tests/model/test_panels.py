"""Panels of the parts: collected from modifiers, CAM method and extractor, with what each was given."""

import numpy as np
import torch

from wsolkit import BoxExtractor, CamMethod, MapModifier, Panel, ScoredBoxes
from wsolkit.components.boxes import LargestComponent
from wsolkit.components.cams import HeadMaps
from wsolkit.model.localizer import Localizer
from wsolkit.model.panels import collect_panels
from wsolkit.registry import BOX_EXTRACTORS, CAM_METHODS, MODIFIERS


@MODIFIERS.register_module(force=True)
class ShowsLeft(MapModifier):
    """Takes away the cells that are positive, and shows the maps it was given."""

    def modify(self, maps):
        self.note(positive=(maps > 0).float().mean())
        return maps.clamp(max=0)

    def panels(self, maps, label):
        return [Panel(f"class {label}", (maps[0, 0] > 0).numpy())]


@MODIFIERS.register_module(force=True)
class SaysNothing(MapModifier):
    """Would take everything away."""

    def modify(self, maps):
        return maps * 0


@CAM_METHODS.register_module(force=True)
class ShowsMaps(HeadMaps):
    """Shows the map of the class."""

    def panels(self, model, images, label, activation):
        return [Panel("map", activation.maps[0, label].sigmoid().numpy())]


@BOX_EXTRACTORS.register_module(force=True)
class ShowsScores(BoxExtractor):
    """Shows what it was given."""

    def __call__(self, score_map, features=None):
        return ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def panels(self, score_map, features=None):
        assert features.ndim == 3
        return [Panel("scores", score_map, (0.0, 0.0, self.threshold, 1.0))]


def model(**parts):
    torch.manual_seed(0)
    modifiers = [{"type": "ShowsLeft", "at": "layer2"}, {"type": "SaysNothing", "at": "layer3"}]
    modifiers.append({"type": "ShowsLeft", "at": "layer3"})
    backbone = {"type": "TimmBackbone", "name": "resnet10t"}
    head = {"type": "LinearHead", "num_classes": 3}
    return Localizer(backbone, head, modifiers=modifiers, precision="fp32", **parts).eval()


def test_every_part_shows_what_it_was_given_and_modifiers_work_as_in_training():
    net = model(cam_method={"type": "ShowsMaps"}, box_extractor={"type": "ShowsScores"})
    inputs = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    extractor = ShowsScores(threshold=0.25)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = collect_panels(net, inputs, 2, extractor)
    assert [panel.name for panel in found] == ["layer2: class 2", "layer3_2: class 2", "map", "scores"]
    images = net.data_preprocessor({"inputs": inputs})["inputs"]
    trunk = net.backbone.model
    with torch.no_grad():
        stem = trunk.layer1(trunk.maxpool(trunk.act1(trunk.bn1(trunk.conv1(images)))))
        handles = [each._forward_hooks.copy() for each in (trunk.layer2, trunk.layer3)]
        for each in (trunk.layer2, trunk.layer3):
            each._forward_hooks.clear()
        second = trunk.layer2(stem)
        third = trunk.layer3(second.clamp(max=0))  # it sees what the first one left, and SaysNothing rests
        for each, hooks in zip((trunk.layer2, trunk.layer3), handles, strict=True):
            each._forward_hooks.update(hooks)
        activation = net.activate(images)
    assert np.array_equal(found[0].picture, (second[0, 0] > 0).numpy())
    assert np.array_equal(found[1].picture, (third[0, 0] > 0).numpy())
    np.testing.assert_allclose(found[2].picture, activation.maps[0, 2].sigmoid().detach().numpy(), atol=1e-6)
    whole = net.cam_method(net, images, torch.tensor([2]), activation)[0].detach().numpy()
    np.testing.assert_allclose(found[3].picture, whole, atol=1e-6)
    assert found[3].box == (0.0, 0.0, 0.25, 1.0)
    # nothing of it stays: modes, numbers for the log, statistics, hooks
    assert not any(module.training for module in net.modules())
    assert all(each.scalars() == {} for _, each in net.named_modifiers())
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0, equal_nan=True)
    assert not any(each._forward_pre_hooks for _, each in net.named_modifiers())


def test_parts_that_show_nothing_are_left_out():
    assert CamMethod.panels(HeadMaps(), None, None, 0, None) == ()
    extractor = LargestComponent()
    score_map = np.eye(4, dtype=np.float32)
    found, notes = extractor.with_notes(score_map)
    assert found.boxes.tolist() == extractor(score_map).boxes.tolist()
    assert (notes, extractor.panels(score_map)) == ({}, ())
