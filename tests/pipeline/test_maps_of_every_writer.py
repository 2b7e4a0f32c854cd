"""What a stage and ``wsolkit predict`` leave is read alike by evaluate, boxes and stages, also as it was before."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.golden import drawn
from wsolkit.cli.main import main
from wsolkit.formats import open_score_maps
from wsolkit_psol import PseudoBoxes

CONFIG = Path(drawn.__file__).with_name("single_label.py")
STAGES = """
data_root = "nowhere"
config = "nowhere"
net = dict(config="{net}/config.py", checkpoint="{net}/last.pth", device="cpu")
stages = [
    dict(name="net", type="Train", config=config, options={"data_root": data_root}),
    dict(name="maps", type="Maps", split="test", **net),
]
"""
FOLDERS = ["stage", "predicted", "stage_before", "predicted_before", "npy"]

torch.set_num_threads(1)


def command(*words):
    """Run wsolkit in this process."""
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A trained model, and folders of the maps that it makes of the test images, from every writer."""
    folder = tmp_path_factory.mktemp("work")
    data = drawn.write_listed(folder / "data")
    (folder / "stages.py").write_text(STAGES)
    variables = ["--cfg-options", f"data_root={data}", f"config={CONFIG}"]
    command("pipeline", folder / "stages.py", "--work-dir", folder, *variables)
    (folder / "maps").rename(folder / "stage")
    model = [folder / "net" / "config.py", folder / "net" / "last.pth", data / "images", "--device", "cpu"]
    command("predict", *model, "--maps", "--classes", "folder", "--out", folder / "predicted")
    as_before(folder)
    drawn.write_npy(folder / "npy", "test", own_class=True)
    return folder


def as_before(folder):
    """Write the maps anew as the version before did, by numpy alone."""
    maps = {each.name: (each.labels[0], each.maps[each.labels[0]], each.size) for each in drawn.pictures("test")}
    for name, (label, score_map, size) in maps.items():
        path = folder / "stage_before" / "maps" / f"{name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {"classes": np.array([label]), "maps": score_map[None].astype(np.float16), "size": np.array(size)}
        np.savez_compressed(path, **arrays)
    (folder / "predicted_before" / "maps").mkdir(parents=True)
    for number in range(2):
        some = list(maps.items())[number::2]
        keyed = {f"{name}/{label}": score_map.astype(np.float16) for name, (label, score_map, _) in some}
        np.savez_compressed(folder / "predicted_before" / "maps" / f"maps-{number:020x}.npz", **keyed)


@pytest.mark.parametrize("name", FOLDERS)
def test_maps_are_those_of_the_model(work, name):
    maps = open_score_maps(work / name, num_classes=6)
    ids = [each.name for each in drawn.pictures("test")]
    assert maps.match(ids).missing == []
    for each in drawn.pictures("test"):
        found = maps.image(each.name)
        assert found.size == (None if name in ("predicted_before", "npy") else each.size)
        np.testing.assert_array_equal(found.of(each.labels[0]), each.maps[each.labels[0]])


@pytest.mark.parametrize("name", ["stage", "predicted"])
def test_classes_in_another_order_are_refused(work, name, tmp_path, capsys):
    listed = work / name / "maps" / "classes.txt"
    names = listed.read_text().splitlines()
    assert len(names) == 6
    (tmp_path / "other.txt").write_text("\n".join([names[1], names[0], *names[2:]]))
    words = ["--maps", work / name, "--metadata", work / "data" / "metadata" / "test", "--out", tmp_path / "out"]
    for command_name in ("evaluate", "boxes"):
        assert main([command_name, *map(str, words), "--classes", str(tmp_path / "other.txt")]) == 2
        assert (
            f"Class {names[1]!r} has the number 0 in the data, but its maps in {work / name} have the number 1. Give "
            f"the classes in the order of the maps: --classes {listed}."
        ) in capsys.readouterr().err
        assert not (tmp_path / "out" / "results.json").exists()
    command("boxes", *words, "--classes", listed)


def results(work, name, out):
    """Evaluate the maps and return the numbers."""
    words = ["--metadata", work / "data" / "metadata" / "test", "--size", "map", "--no-report"]
    words += ["--protocol", "MaxBoxAcc", "MaxBoxAccV2", "MaxBoxAcc-exact", "CorLoc"]
    command("evaluate", "--maps", work / name, *words, "--out", out)
    return json.loads((out / "results.json").read_text())["results"]


def boxes(work, name, out):
    """Make boxes of the maps and return them."""
    words = ["--metadata", work / "data" / "metadata" / "test", "--threshold", "0.3"]
    command("boxes", "--maps", work / name, *words, "--out", out)
    return json.loads((out / "boxes.json").read_text())


def pseudo_boxes(work, name, out):
    """Run a plugin's stage on the maps and return its boxes."""
    out.mkdir(parents=True)
    stage = PseudoBoxes(str(work / name), str(work / "net" / "config.py"), split="test", threshold="otsu", sheet=1)
    stage.run(out, False)
    return json.loads((out / "boxes.json").read_text())["annotations"]


@pytest.mark.parametrize("read", [results, boxes, pseudo_boxes])
def test_every_reader_finds_the_same_in_every_folder(work, tmp_path, read):
    wanted = read(work, "npy", tmp_path / "npy")
    assert len(wanted) >= 4
    for name in FOLDERS[:-1]:
        assert read(work, name, tmp_path / name) == wanted, name
