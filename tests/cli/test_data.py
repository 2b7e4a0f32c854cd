"""``wsolkit data check`` on configurations in files."""

import argparse

import pytest
from mmengine.config import Config
from PIL import Image

from wsolkit.cli.data import add_parser, build_datasets
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import ConfigError

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


def test_wrappers_are_opened_and_nothing_is_an_error(config):
    data = Config.fromfile(config)
    inner = dict(data.train_dataloader["dataset"])
    data.train_dataloader["dataset"] = {"type": "RepeatDataset", "times": 2, "dataset": inner}
    datasets, broken = build_datasets(data, ["train"])
    assert isinstance(datasets["train"], ImageFolder)
    assert broken == {}
    with pytest.raises(ConfigError, match="has none of test_dataloader. Add one, or choose other --splits"):
        build_datasets(data, ["test"])
