"""File and folder names that are no UTF-8 go through every command, and whatever a terminal cannot print is escaped."""

import io
import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from tests.support.colours import scene
from wsolkit.cli.main import main

CLASSES = ("red", os.fsdecode(b"gr\xfcn"), "blue")
CAFE = os.fsdecode(b"caf\xe9")
CONFIG = """
model = dict(
    type="Localizer",
    backbone=dict(type="ColourBackbone"),
    head=dict(type="LinearHead"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.5),
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0, 0, 0), std=(1, 1, 1)),
    precision="fp32",
)
RESIZE = dict(type="Resize", size=(32, 32))
train_dataloader, val_dataloader, test_dataloader = [
    dict(
        batch_size=4,
        num_workers=0,
        sampler=dict(type="DefaultSampler", shuffle=False),
        collate_fn=dict(type="collate_samples"),
        dataset=dict(type="ImageFolder", data_root="photos", split=split, pipeline=[RESIZE]),
    )
    for split in ("train", "val", "test")
]
for loader in (val_dataloader, test_dataloader):
    loader["dataset"].update(boxes="boxes.csv", load_targets=True, test_mode=True)
val_evaluator = test_evaluator = dict(type="LocalizationMetric")
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
val_cfg = test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1))
param_scheduler = []
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = []
    for number in range(9):
        split, colour = ("train", "val", "test")[number // 3], number % 3
        name = f"{split}/{CLASSES[colour]}/{CAFE}{number}.png"
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene((8, 8, 40, 40), colour=colour) + np.uint8(number)).save(path)
        lines.append(f"{name},8,8,40,40\n")
    with (tmp_path / "photos/boxes.csv").open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(lines)
    (tmp_path / "config.py").write_text(CONFIG)
    return tmp_path


@pytest.mark.slow
def test_every_command_takes_them(data, capsys):
    for command in (
        "data check config.py",
        "train config.py --work-dir run",
        "test run/config.py run/last.pth",
        "predict run/config.py run/last.pth photos --out found --classes folder --format coco,voc,yolo,csv --maps",
        "boxes --maps found/maps --images photos --out boxes --format coco voc yolo csv",
        "evaluate --maps found/maps --metadata photos --split test --out scored",
        "compare run/test scored --out compared",
    ):
        assert main(command.split()) == 0, command + capsys.readouterr().err
    assert "gr\\udcfcn 1" in capsys.readouterr().out
    images = json.loads((data / "found/dataset.json").read_text())["images"]
    assert f"test/{CLASSES[1]}/{CAFE}7.png" in [image["file_name"] for image in images]
    assert json.loads((data / "scored/results.json").read_text(encoding="utf-8"))


def test_a_terminal_without_letters_prints_escapes(data, monkeypatch):
    printed = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", printed)
    assert main(["data", "check", "config.py"]) == 0
    printed.flush()
    assert b"gr\\udcfcn 1" in printed.buffer.getvalue()
