"""``wsolkit data check`` on configurations in files."""

import argparse

import pytest
from mmengine.config import Config
from PIL import Image

from wsolkit.cli.data import add_parser, build_datasets
from wsolkit.config.load import load_config
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import ConfigError, DataError
from wsolkit.training.train import train

CONFIG = """
train_dataloader = dict(batch_size=1, dataset=dict(type="ImageFolder", data_root={root!r}, split="train"))
val_dataloader = dict(batch_size=1, dataset=dict(type="ImageFolder", data_root={root!r}, split="val"))
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    for number in range(20):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (number, 0, 0)).save(path)
    path = tmp_path / "config.py"
    path.write_text(CONFIG.format(root=str(tmp_path / "photos")))
    return path


def run(*arguments):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["data", "check", *map(str, arguments)])
    return args.run(args)


def test_clean_and_broken(config, capsys):
    assert run(config) == 0
    assert "No problems found" in capsys.readouterr().out
    for path in (config.parent / "photos/dog").iterdir():
        path.write_text("broken")
    assert run(config) == 1
    assert "cannot be read" in capsys.readouterr().out


def test_splits_and_options(config, capsys, tmp_path):
    assert run(config, "--splits", "val") == 0
    out = capsys.readouterr().out
    assert "val" in out
    assert "train" not in out
    missing = f"train_dataloader.dataset.data_root={tmp_path / 'missing'}"
    assert run(config, "--splits", "train", "--cfg-options", missing) == 1
    assert "data sets that cannot be read" in capsys.readouterr().out.replace("\n", " ")


def test_a_folder_that_is_not_there_is_told_whole_with_the_variable_that_named_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("WSOLKIT_DATA", raising=False)
    assert run("cam_lite0_birds50", "--splits", "val") == 1
    out = capsys.readouterr().out
    assert "classes with images" not in out  # of an empty table
    assert "  The list of images should be at data/birds50/metadata/val/image_ids.txt, but there is nothing." in out
    assert out.splitlines()[-1] == (
        "data_root is 'data/birds50' because the environment variable WSOLKIT_DATA is not set: set it to the folder "
        "above birds50."
    )
    above = tmp_path / ("long" * 30)
    monkeypatch.setenv("WSOLKIT_DATA", str(above))
    assert run("cam_lite0_birds50", "--splits", "val") == 1
    out = capsys.readouterr().out
    assert f"{above}/birds50/metadata/val/image_ids.txt, but" in out
    assert out.endswith(
        f"because the environment variable WSOLKIT_DATA is {str(above)!r}: it should be the folder above birds50.\n"
    )
    assert run("cam_lite0_birds50", "--splits", "val", "--cfg-options", "data_root=elsewhere") == 1
    assert "WSOLKIT_DATA" not in capsys.readouterr().out
    with pytest.raises(DataError, match=r"Check data_root. data_root is .* because the environment variable"):
        train(load_config("cam_lite0_birds50"), tmp_path / "run")


def test_examples_are_the_first_three_and_how_many_more(config, capsys):
    for path in (config.parent / "photos/dog").iterdir():
        path.write_text("broken")
    assert run(config, "--splits", "train") == 1
    told = capsys.readouterr().out.partition("train: images that cannot be read\n")[2].splitlines()
    assert all(line.startswith(f"  Image {config.parent / 'photos/dog'}/") for line in told[:3])
    assert told[3:] == ["  and 5 more"]


def test_wrappers_are_opened_and_nothing_is_an_error(config):
    data = Config.fromfile(config)
    inner = dict(data.train_dataloader["dataset"])
    data.train_dataloader["dataset"] = {"type": "RepeatDataset", "times": 2, "dataset": inner}
    datasets, broken = build_datasets(data, ["train"])
    assert isinstance(datasets["train"], ImageFolder)
    assert broken == {}
    with pytest.raises(ConfigError, match="has none of test_dataloader. Add one, or choose other --splits"):
        build_datasets(data, ["test"])
