"""Photographs that show nothing get no box, and their class is none, in the labels and in later predictions."""

import json

from tests.labelling.conftest import METHOD
from wsolkit.cli.main import main
from wsolkit.labelling.run import label


def test_photographs_of_the_background_get_no_box(scenes, tmp_path):
    found = label(scenes, tmp_path / "labels", method=METHOD, background=["ring-red"], formats=("coco",), draw=24)
    content = json.loads((found.folder / "dataset.json").read_text())
    assert {each["name"] for each in content["categories"]} == {"cross-yellow", "star-blue"}
    files = {each["id"]: each["file_name"] for each in content["images"]}
    assert len(files) == 24, "they stay in the data set, as images of nothing"
    folders = [files[each["image_id"]].split("/")[0] for each in content["annotations"]]
    assert "ring-red" not in folders
    assert found.without_box == 24 - len({each["image_id"] for each in content["annotations"]}) >= 8
    to_check = [each.split("\t")[1] for each in (found.folder / "next.txt").read_text().splitlines()]
    assert sorted(to_check) == sorted(name for name in files.values() if not name.startswith("ring-red"))
    assert found.verdict.facts["without a box"] < 0.3, "those that ought to have none tell nothing of the boxes"
    assert len(list((found.folder / "pictures").glob("*.jpg"))) == 16
    command = ["predict", str(found.checkpoint), str(scenes), "--classes", "folder", "--out", str(tmp_path / "more")]
    assert main([*command, "--format", "csv"]) == 0
    lines = (tmp_path / "more/boxes.csv").read_text().splitlines()[1:]
    assert lines
    assert not any("ring-red" in line for line in lines)
