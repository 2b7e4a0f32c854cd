"""Which checkpoints a training leaves is known before it runs."""

import json

import pytest
from PIL import Image

from tests.support.tiny_stages import plan_pipeline, run, stage
from wsolkit import ConfigError
from wsolkit.config.load import load_config
from wsolkit.training.kept_files import has_nothing_to_monitor, never_kept


@pytest.fixture
def photos(tmp_path):
    """Two classes of five pictures in folders."""
    for name in ("owl", "wren"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (40, 30), (40 * number, 90, 60)).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def test_boxes_are_something_to_monitor(photos, tmp_path):
    names = [path.relative_to(photos).as_posix() for path in sorted(photos.rglob("*.png"))]
    boxes = {
        "images": [{"id": k, "file_name": name, "width": 40, "height": 30} for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "owl"}, {"id": 2, "name": "wren"}],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1 + (name[0] == "w"), "bbox": [1, 2, 10, 20]}
            for k, name in enumerate(names)
        ],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    options = {"data_root": str(photos), "weights": None, "val_dataloader.dataset.boxes": str(tmp_path / "boxes.json")}
    config = load_config("c2am_folder", options)
    assert never_kept(config, "best.pth") is None
    assert not has_nothing_to_monitor(config)


def test_best_weights_of_a_model_without_classes_and_boxes_are_refused_before_the_training(photos, tmp_path):
    options = {"data_root": str(photos), "weights": None, "model.backbone.name": "test_efficientnet"}
    options["model.backbone.levels"] = ["blocks.2", "final"]
    options["model.head.levels"] = ["final", "blocks.2"]
    stages = [
        stage("net", "Train", config="c2am_folder", options=options),
        stage("maps", "Maps", config="{net}/config.py", checkpoint="{net}/best.pth"),
    ]
    planned = plan_pipeline("boxes", stages, tmp_path / "work")
    words = r"stage 'maps': \{net\}/best.pth in its arguments will not be there: the model does not classify and no im"
    with pytest.raises(ConfigError, match=words):
        run(planned)
    assert not (tmp_path / "work").exists()
