"""What a command does not import: each runs in a process of its own, which then says what it has loaded."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CODE = """
import sys
from wsolkit.cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as error:
    status = error.code
heavy = {"torch", "torchvision", "timm", "mmengine.runner", "numba", "cv2", "rich", "numpy", "shtab"} & set(sys.modules)
print("LOADED", status, *sorted(heavy))
"""
TORCH = {"torch", "torchvision", "timm", "mmengine.runner"}


def loaded(*argv, cwd=None):
    """Run a command and return its exit status, what it has imported of the heavy modules, and its messages."""
    done = subprocess.run([sys.executable, "-c", CODE, *argv], capture_output=True, text=True, check=True, cwd=cwd)
    status, *modules = done.stdout.rpartition("LOADED ")[2].split()
    return int(status), set(modules), done.stderr


@pytest.mark.parametrize(
    "argv", [["--help"], ["--version"], ["train", "--help"], ["evaluate", "--help"], ["list", "--help"]], ids=" ".join
)
def test_help_imports_nothing_heavy(argv):
    assert loaded(*argv)[:2] == (0, set())


@pytest.mark.parametrize(
    "argv",
    [
        ["list"],
        ["list", "methods"],
        ["list", "configs"],
        ["list", "losses"],
        ["list", "--all"],
        ["list", "--json"],
        ["show", "CAM"],
        ["show", "CAMHead"],
        ["show", "TimmBackbone"],
        ["show", "Localizer"],
        ["show", "CUB200"],
        ["show", "EpochLoop"],
        ["show", "AveragePooling"],
        ["show", "RecombinedMaps"],
        ["show", "BoxExtractor"],
        ["show", "Hook"],
        ["show", "cam_synthetic"],
    ],
    ids=" ".join,
)
def test_list_and_show_read_sources(argv):
    status, modules, _ = loaded(*argv)
    assert status == 0
    assert not modules & TORCH


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["show", "CAMHed"], "Did you mean 'CAMHead'"),
        (["list", "bakbones"], "There is no interface 'bakbones'"),
        (["train", "nope"], "There is no configuration named 'nope'"),
        (["train", "cam_synthetic", "--cfg-options", "x"], "An option is written KEY=VALUE"),
        (["train", "cam_resnet50_cub", "--cfg-options", "modle.head=1"], "Did you mean 'model'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "model.hed=1"], "Did you mean 'head'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "model.head.type=CAMHed"], "Did you mean 'CAMHead'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "model.precision=bf17"], "one of 'auto', 'bf16', 'fp32'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "train_cfg.max_epochs=0"], "of at least 1, but got 0"),
        (["train", "cam_resnet50_cub", "--cfg-options", "train_cfg.max_epoch=3"], "Did you mean 'max_epochs'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "optim_wrapper.optimizer.lrr=3"], "Did you mean 'lr'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "train_dataloader.dataset.data_rot=x"], "mean 'data_root'"),
        (["train", "cam_resnet50_cub", "--cfg-options", "default_hooks.checkpoint.intervall=2"], "mean 'interval'"),
        (["pipeline", "nope"], "There is no configuration named 'nope'"),
        (["data", "check", "nope.py"], "There is no configuration file nope.py"),
        (["test", "cam_synthetic", "none.pth"], "There is no file of weights none.pth"),
        (["test", "cam_synthetic", "w.pth", "--protocol", "PxAQ"], "Did you mean 'PxAP'"),
        (["predict", "nope", "none.pth", "none", "--out", "x"], "There is no configuration named 'nope'"),
        (["predict", "cam_synthetic", "none.pth", "none", "--out", "x"], "There is no file of weights none.pth"),
        (["predict", "cam_synthetic", "w.pth", "none", "--out", "x"], "There is no file or folder none"),
        (["predict", "cam_synthetic", "w.pth", ".", "--out", "x", "--format", "coko"], "Did you mean 'coco'"),
        (["boxes", "--maps", "none", "--out", "x", "--format", "coko"], "Did you mean 'coco'"),
        (
            ["boxes", "--maps", "none", "--out", "x", "--extractor", "LargestComponnt"],
            "Did you mean 'LargestComponent'",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_names_and_files_tell_is_refused_without_torch(tmp_path, argv, words):
    (tmp_path / "w.pth").write_bytes(b"")
    status, modules, said = loaded(*argv, cwd=tmp_path)
    assert status == 2
    assert words in said
    assert not modules & TORCH
    assert [path.name for path in Path(tmp_path).iterdir()] == ["w.pth"]


def test_boxes_of_plain_arrays_need_no_torch(tmp_path):
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a.npy", np.eye(8, dtype=np.float32))
    (tmp_path / "sizes.csv").write_text("a,16,16\n")
    given = ["--maps", "maps", "--sizes", "sizes.csv", "--classes", "cat", "--out", "out"]
    status, modules, said = loaded("boxes", *given, cwd=tmp_path)
    assert status == 0, said
    assert not modules & TORCH
    assert (tmp_path / "out" / "boxes.json").exists()
