"""Exported files say what PyTorch does, and the script beside them finds the boxes of ``wsolkit predict``."""

import csv
import json
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from tests.support.colours import CLASSES, CONFIG, SIDE, colour_model
from wsolkit import CAM_METHODS, CamMethod, ConfigError, Predictor, WsolkitError, export_model
from wsolkit.components import components, largest_box
from wsolkit.deploy import agreement, boxes, export, files

ALONE = """
import runpy, sys
for name in ("torch", "torchvision", "cv2", "wsolkit", "onnx"):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script as on a machine that has NumPy, ONNX Runtime and Pillow alone."""


def noisy(width, height, seed):
    """Return a photograph of noise with two rectangles, so that maps have many components."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 140, (height, width, 3), dtype=np.uint8)
    for _ in range(2):
        x, y = random.integers(width // 2), random.integers(height // 2)
        pixels[y : y + height // 3, x : x + width // 3, random.integers(3)] = 230
    return Image.fromarray(pixels)


@pytest.fixture
def photos(tmp_path):
    """Photographs larger and smaller than the network's input, of odd names, and one that EXIF turns."""
    sizes = [(128, 64), (33, 90), (20, 16), (32, 32), (301, 200)]
    paths = [tmp_path / f"photo, {number}.png" for number in range(len(sizes))]
    for number, (path, (width, height)) in enumerate(zip(paths, sizes, strict=True)):
        noisy(width, height, number).save(path)
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    noisy(90, 60, 9).save(turned, exif=exif, quality=95)
    return [*paths, turned]


def saved(folder, options=(), text=CONFIG, **changes):
    """Return a configuration and a checkpoint of the colour model."""
    config, checkpoint = folder / "colours.py", folder / "best.pth"
    config.write_text(text + "".join(f"\n{line}" for line in options))
    model = colour_model(**changes)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, checkpoint)
    return config, checkpoint


def found_by_script(script, photos):
    """Return (path, class, score, box) of what the script prints."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(script), *map(str, photos)], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    return [(row["path"], row["class"], float(row["score"]), [float(row[side]) for side in ("x0", "y0", "x1", "y1")])
            for row in rows]  # fmt: skip


def same_boxes(found, results):
    expected = [
        (str(path), box.class_name, box.score, list(box.box)) for path, result in results for box in result.boxes
    ]
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    np.testing.assert_allclose([each[2] for each in found], [each[2] for each in expected], atol=1e-4)
    np.testing.assert_allclose([each[3] for each in found], [each[3] for each in expected], atol=0.006)


@CAM_METHODS.register_module(force=True)
class GradientMaps(CamMethod):
    """Weighs the image by the gradient of a logit, as Grad-CAM does features."""

    def raw_maps(self, model, images, classes, activation=None):
        raise NotImplementedError


TOP = {"head": {"type": "ConvHead", "num_classes": 3, "pooling": {"type": "TopCellsPooling", "share": 0.1}}}
C2AM = {"head": {"type": "C2AMHead"}, "losses": [{"type": "C2AMLoss"}]}
SEVERAL = {"box_extractor": {"type": "AllComponents", "threshold": 0.6, "min_area": 0.01, "max_boxes": 4}}


@pytest.mark.parametrize(
    ("changes", "options", "outputs"),
    [
        ({}, [], ["maps", "logits"]),
        (C2AM, ["model.update(head=dict(type='C2AMHead'), losses=[dict(type='C2AMLoss')])"], ["maps"]),
        ({}, ["model['cam_method'] = dict(type='MultiScaleMaps', scales=[1.0, 1.5])"], ["maps", "logits"]),
        (TOP, [f"model.update({TOP!r})"], ["maps", "logits"]),
        (SEVERAL, [f"multi_label = True\nmodel.update({SEVERAL!r})"], ["maps", "logits"]),
    ],
    ids=["classes", "one map for all", "with the mirror image", "top cells", "several labels and boxes"],
)
def test_the_script_finds_the_boxes_of_predict(tmp_path, photos, changes, options, outputs):
    torch.manual_seed(3)
    given = saved(tmp_path, options, **changes)
    done = export_model(*given, out=tmp_path / "out")
    assert done.facts["outputs"] == outputs
    assert done.difference < 1e-4
    results = list(zip(photos, Predictor.from_config(*given, device="cpu")(photos), strict=True))
    assert sum(len(result.boxes) for _, result in results) >= len(photos)
    same_boxes(found_by_script(done.script, photos), results)


def test_what_is_in_the_file(tmp_path):
    done = export_model(*saved(tmp_path), threshold=0.35)
    assert done.path == tmp_path / "onnx" / "model.onnx"
    session = onnxruntime.InferenceSession(done.path, providers=["CPUExecutionProvider"])
    told = {key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items()}
    assert told == json.loads(json.dumps(done.facts))
    assert told["classes"] == list(CLASSES)
    assert (told["threshold"], told["input_size"], told["checkpoint"]) == (0.35, [SIDE, SIDE], "best.pth")
    (images,) = session.get_inputs()
    assert (images.name, images.type, images.shape) == ("images", "tensor(uint8)", ["batch", SIDE, SIDE, 3])
    assert [each.shape for each in session.get_outputs()] == [["batch", 3, SIDE, SIDE], ["batch", 3]]


def test_torchscript(tmp_path):
    given = saved(tmp_path)
    done = export_model(*given, to="torchscript")
    assert done.script is None
    told = {"wsolkit.json": ""}
    program = torch.jit.load(str(done.path), _extra_files=told)
    assert json.loads(told["wsolkit.json"])["classes"] == list(CLASSES)
    pictures = agreement.drawn_pictures(3, (SIDE, SIDE))
    maps, logits = program(torch.from_numpy(pictures))
    results = Predictor.from_config(*given, device="cpu", keep_maps=True)(list(pictures))
    for row, result in enumerate(results):
        np.testing.assert_allclose(logits[row].softmax(0).detach(), result.probabilities, atol=1e-5)
        for index, score_map in result.maps.items():
            np.testing.assert_allclose(maps[row, index].detach(), score_map, atol=1e-5)


@pytest.mark.slow
def test_a_vision_transformer(tmp_path):
    backbone = {"type": "TimmBackbone", "name": "test_vit"}
    head = {"type": "CAMHead", "num_classes": 3, "form": "linear"}
    text = CONFIG.replace(f"size=({SIDE}, {SIDE})", "size=(160, 160)")
    line = f"model.update(backbone={backbone!r}, head={head!r})"
    done = export_model(*saved(tmp_path, [line], text, backbone=backbone, head=head))
    assert done.facts["input_size"] == [160, 160]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("model['cam_method'] = dict(type='GradientMaps')", "GradientMaps cannot be exported: its maps take gradients"),
        (
            "model['cam_method'] = dict(type='MultiScaleMaps', of=dict(type='GradientMaps'))",
            "MultiScaleMaps cannot be exported: .*Take the head's maps, with model.cam_method=dict",
        ),
        ("model['box_extractor'] = dict(type='TwoStageBox')", "but the model has TwoStageBox.* --to torchscript"),
        (
            "test_dataloader['dataset']['pipeline'] = [dict(type='Resize', size=(32, 32), interpolation='bicubic')]",
            "to 32 x 32 pixels by an antialiased bilinear Resize, and the model's test pipeline does something else",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(tmp_path, line, words):
    with pytest.raises(ConfigError, match=words):
        export_model(*saved(tmp_path, [line]), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_libraries_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs onnx and onnxruntime, .* pip install onnx onnxruntime"):
        export_model(*saved(tmp_path))
    export_model(*saved(tmp_path), to="torchscript")


@pytest.mark.parametrize("to", ["onnx", "torchscript"])
def test_a_file_that_differs_does_not_appear(tmp_path, monkeypatch, to):
    def off(path, program):
        run = files.FORMATS[to].load(path, program)
        return lambda images: {name: value + 3e-4 * (len(images) > 2) for name, value in run(images).items()}

    kind = files.FORMATS[to]._replace(load=off)
    monkeypatch.setattr(export, "FORMATS", {to: kind})
    with pytest.raises(WsolkitError, match=r"maps differ from PyTorch's by 0.0003, on 5 drawn picture.* Nothing was"):
        export_model(*saved(tmp_path), to=to, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_earlier_export_is_kept_unless_it_may_be_replaced(tmp_path):
    given = saved(tmp_path)
    done = export_model(*given)
    before = done.path.read_bytes()
    with pytest.raises(ConfigError, match=r"holds an earlier export.* add --overwrite; nothing was changed"):
        export_model(*given, threshold=0.9)
    assert done.path.read_bytes() == before
    assert export_model(*given, threshold=0.9, overwrite=True).facts["threshold"] == 0.9
    assert done.path.read_bytes() != before


@pytest.mark.parametrize("seed", range(4))
def test_components_of_the_script_are_those_of_opencv(seed):
    random = np.random.default_rng(seed)
    score_map = random.random((37, 53)).astype(np.float32) ** (1 + seed)
    for threshold in (0.1, 0.4, 0.7):
        numbers = boxes.components(score_map > threshold * score_map.max())
        _, areas, labels = components(score_map, threshold)
        names, found = np.unique(numbers[numbers < numbers.size], return_counts=True)
        assert sorted(found) == sorted(areas)
        assert len(np.unique(np.stack([numbers, labels]).reshape(2, -1), axis=1).T) == len(names) + 1
        facts = {"threshold": threshold, "boxes": "largest", "min_area": 0, "most_boxes": 1}
        assert list(boxes.boxes_of(score_map, facts)[0][1]) == list(largest_box(score_map, threshold))


def test_an_empty_map_has_no_box_and_the_first_of_two_equals_counts():
    facts = {"threshold": 0.2, "boxes": "largest", "min_area": 0, "most_boxes": 1}
    assert boxes.boxes_of(np.zeros((5, 5), np.float32), facts) == []
    tie = np.float32([[0, 1, 0, 1], [1, 0, 0, 1]])
    assert boxes.boxes_of(tie, facts) == [(0.5, largest_box(tie, 0.2))]


@pytest.mark.parametrize("shape", [(10, 300), (64, 64), (500, 41), (1, 7)])
def test_the_script_resizes_as_torchvision_does(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = v2.Resize((64, 48), antialias=True)(torch.from_numpy(pixels).permute(2, 0, 1)).permute(1, 2, 0)
    found = boxes.shrink(boxes.shrink(pixels.swapaxes(0, 1), 48).swapaxes(0, 1), 64)
    most = 0 if "AVX" in torch.backends.cpu.get_cpu_capability() else 1
    assert np.abs(found.astype(int) - expected.numpy()).max() <= most
