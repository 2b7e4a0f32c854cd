"""SAM through transformers, with a tiny model of random weights: what it is handed and what becomes of its masks."""

import sys

import numpy as np
import pytest
import torch

from wsolkit import ConfigError, PluginError, ScoredBoxes
from wsolkit.components.refiners.sam import SamRefiner

IMAGE = np.random.default_rng(0).integers(0, 256, (30, 48, 3), np.uint8)
MAP = np.zeros((30, 48), np.float32)
MAP[5:20, 10:30] = 1
BOXES = ScoredBoxes(np.array([[10, 5, 30, 20], [0, 0, 8, 8]], np.float32), np.array([0.9, 0.5], np.float32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    vision = {"hidden_size": 16, "output_channels": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
              "image_size": 64, "patch_size": 16, "num_pos_feats": 8, "mlp_dim": 16, "window_size": 2,
              "global_attn_indexes": [0], "initializer_range": 0.02}  # fmt: skip
    prompts = {"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 16, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
               "iou_head_hidden_dim": 16}  # fmt: skip
    config = transformers.SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    path = tmp_path_factory.mktemp("sam")
    transformers.SamModel(config).save_pretrained(path)
    sizes = {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}}
    transformers.SamProcessor(transformers.SamImageProcessor(**sizes)).save_pretrained(path)
    return str(path)


def test_the_best_rated_mask_of_each_box_at_the_size_of_the_image(folder):
    refiner = SamRefiner(folder, keep_below=0)
    model, processor = refiner.model_and_processor
    given = processor(IMAGE, input_boxes=[BOXES.boxes.tolist()], return_tensors="pt")
    assert given["input_boxes"][0, 0].tolist() == pytest.approx([side * 64 / 48 for side in (10, 5, 30, 20)], abs=0.01)
    with torch.inference_mode():
        found = model(given["pixel_values"], input_boxes=given["input_boxes"].float())
    masks, boxes = refiner(IMAGE, MAP, BOXES, 0.5)
    assert masks.shape == (2, 30, 48)
    assert masks.dtype == bool
    assert (boxes.boxes == BOXES.boxes).all()
    for number in range(2):
        best = found.pred_masks[0, number, found.iou_scores[0, number].argmax()]
        square = torch.nn.functional.interpolate(best[None, None], (64, 64), mode="bilinear", align_corners=False)
        whole = square[..., : round(30 * 64 / 48), :]
        wanted = torch.nn.functional.interpolate(whole, (30, 48), mode="bilinear", align_corners=False)[0, 0] > 0
        if wanted.any():
            assert (masks[number] == wanted.numpy()).mean() > 0.99


def test_a_lost_object_keeps_the_mask_of_the_map(folder):
    masks = SamRefiner(folder, keep_below=1.0)(IMAGE, MAP, BOXES, 0.5).masks
    assert (masks[0] == (MAP > 0.5)).all()
    none = ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert SamRefiner(folder)(IMAGE, MAP, none, 0.5).masks.shape == (0, 30, 48)


def test_nothing_is_downloaded(tmp_path):
    with pytest.raises(ConfigError, match="from a folder on this machine, but there is no folder facebook"):
        SamRefiner("facebook/sam-vit-base")
    pytest.importorskip("transformers")
    with pytest.raises(ConfigError, match="holds no SAM model that transformers can read"):
        SamRefiner(str(tmp_path))(IMAGE, MAP, BOXES, 0.5)


def test_without_transformers_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(PluginError, match=r"needs transformers.*pip install transformers"):
        SamRefiner(str(tmp_path))(IMAGE, MAP, BOXES, 0.5)
