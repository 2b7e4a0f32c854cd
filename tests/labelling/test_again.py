"""What a later run of the same folder goes on from: never from what other settings or other photographs left."""

import csv
import json
import shlex
import shutil

import pytest

from tests.labelling.conftest import METHOD
from wsolkit.cli.label import closing_lines
from wsolkit.cli.main import main
from wsolkit.errors import ConfigError, DataError
from wsolkit.files import hash_file
from wsolkit.labelling import learn, run
from wsolkit.labelling.learn import train_map
from wsolkit.labelling.run import label
from wsolkit.labelling.state import claim_labels
from wsolkit.labelling.words import next_words


@pytest.fixture
def copied(scenes, labelled, tmp_path):
    """Photographs and their labels, which a test may change."""
    shutil.copytree(scenes.parent, tmp_path / "all", symlinks=True)
    return tmp_path / "all" / "photos", tmp_path / "all" / "labels"


@pytest.mark.parametrize("option", ["retrain", "overwrite"])
def test_a_file_of_checked_boxes_is_read_before_anything_is_removed(copied, tmp_path, option):
    photos, folder = copied
    (tmp_path / "typo.json").write_text("{")
    before = {name: (folder / name).read_bytes() for name in ("label.json", "last.pth", "dataset.json")}
    with pytest.raises(DataError, match="typo.json"):
        label(photos, folder, method=METHOD, seed=1, verified=tmp_path / "typo.json", **{option: True})
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_what_is_overwritten_can_be_what_was_checked(copied, monkeypatch):
    photos, folder = copied
    monkeypatch.setattr(run, "learnt_map", stopped)
    with pytest.raises(KeyboardInterrupt):
        label(photos, folder, method=METHOD, verified=folder / "dataset.json", overwrite=True)
    assert not (folder / "dataset.json").exists()
    assert len((folder / "verified.jsonl").read_text().splitlines()) == 1 + 24  # the first names the classes


def stopped(*_, **__):
    raise KeyboardInterrupt


def test_no_map_is_left_under_settings_it_was_not_learnt_with(copied, monkeypatch):
    photos, folder = copied

    def write(path, content):
        assert not (folder / "last.pth").exists(), "the map is forgotten first"

    monkeypatch.setattr("wsolkit.labelling.state.write_json", write)
    claim_labels(folder, photos, {"method": "parts"}, retrain=True)


def test_a_training_of_other_photographs_is_removed_before_it_is_said_to_be_of_these(tmp_path, monkeypatch):
    class Photographs:
        def fingerprint(self):
            return "new"

    config = learn.Config({"randomness": {"seed": 0}})
    work = tmp_path / "training"
    work.mkdir()
    (work / "last.pth").write_bytes(b"of others")
    (work / "photographs.json").write_text('{"photographs": "old"}')
    monkeypatch.setattr(learn, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_map("label_objects", config, Photographs(), tmp_path)
    assert [path.name for path in work.iterdir()] == ["photographs.json"]
    begun = []
    monkeypatch.setattr(learn, "train", lambda *_, resume, overwrite: begun.append((resume, overwrite)))
    own = tmp_path / "own.py"
    for text in ("a = 1", "a = 1", "a = 2"):
        own.write_text(text)
        train_map(str(own), config, Photographs(), tmp_path)
        (work / "last.pth").touch()
    assert begun == [(False, True), (True, False), (False, True)]


def test_another_text_of_an_own_configuration_is_another_setting(copied, tmp_path):
    photos, folder = copied
    settings = json.loads((folder / "label.json").read_text())
    assert settings["configuration"] == hash_file(METHOD)
    (folder / "label.json").write_text(json.dumps({**settings, "configuration": "of another text"}))
    with pytest.raises(ConfigError, match="labels made with other settings: configuration was 'of another text'"):
        label(photos, folder, method=METHOD)


def test_a_project_that_is_moved_with_its_table_goes_on(scenes, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "learnt_map", stopped)
    (tmp_path / "here").mkdir()
    shutil.copytree(scenes, tmp_path / "here" / "photos")
    names = sorted(str(path.relative_to(scenes)) for path in scenes.rglob("*.png"))
    (tmp_path / "here" / "labels.csv").write_text("image,label\n" + "".join(f"{name},bird\n" for name in names))
    for place in ("here", "there"):
        project = tmp_path / place
        if not project.exists():
            (tmp_path / "here").rename(project)
        with pytest.raises(KeyboardInterrupt):
            label(project / "photos", project / "labels", labels=project / "labels.csv")


def test_the_next_command_is_the_same_again(copied, labelled, monkeypatch):
    photos, folder = copied

    def words(**options):
        with monkeypatch.context() as patch:
            patch.setattr("wsolkit.labelling.boxes.Boxes.tell", lambda _, __, commands: told.append(commands))
            found = label(photos, folder, method=METHOD, draw=0, **options)
        assert told.pop() == found.next_steps
        return [shlex.split(command) for command in found.next_steps]

    told = []
    again, elsewhere, _ = words(formats=("csv",), threshold=0.4)
    assert again[:3] == ["wsolkit", "label", str(photos)]
    assert elsewhere[-4:] == ["--classes", "folder", "--out", "found"]
    seen = {}
    monkeypatch.setattr(run, "label", lambda *places, **options: seen.update(options, places=places) or labelled[0])
    assert main(again[1:]) == 0
    assert seen["places"] == (photos, folder)
    assert str(seen["verified"]) == "verdicts.json"
    assert [seen[name] for name in ("method", "threshold", "formats", "draw")] == [METHOD, 0.4, ("csv",), 0]


def test_formats_that_are_there_are_written_again_and_an_older_page_is_said_to_be_one(copied):
    photos, folder = copied
    found = label(photos, folder, method=METHOD, formats=("coco", "yolo", "csv"), draw=3)
    assert any("look at " in line and "index.html, and at what" in line for line in closing_lines(found))
    page = (folder / "index.html").read_bytes()
    found = label(photos, folder, method=METHOD, formats=("voc",), draw=0, threshold=0.5)
    assert {path.name for path in found.files} >= {"voc", "yolo", "boxes.csv", "dataset.json", "boxes.json"}
    boxes = {each["bbox"][2] for each in json.loads((folder / "boxes.json").read_text())}
    with (folder / "boxes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {round(float(row["x1"]) - float(row["x0"]), 1) for row in rows} == {round(width, 1) for width in boxes}
    assert found.page is None
    assert (folder / "index.html").read_bytes() == page, "the browser may hold verdicts of it"
    (said,) = (line for line in closing_lines(found) if "index.html" in line)
    assert "index.html is of an earlier run, which may have had other boxes: leave --no-pictures out" in said


def test_nothing_is_asked_for_where_nothing_is_left_to_check(copied, scenes):
    photos, folder = copied
    found = label(photos, folder, method=METHOD, formats=("coco",), draw=0, verified=scenes / "boxes.json")
    assert [line.split()[1] for line in found.next_steps] == ["predict", "export"]


def test_every_option_that_decides_is_in_the_next_command(tmp_path):
    given = {"labels": tmp_path / "my labels.csv", "seed": 3, "classifier": "resnet18", "masks": True, "classes": None}
    again, elsewhere, _ = next_words(tmp_path, tmp_path / "out", given, by_folder=False)
    options = ["--labels", str(tmp_path / "my labels.csv"), "--seed", "3", "--classifier", "resnet18", "--masks"]
    assert shlex.split(again)[5:] == [*options, "--verified", "verdicts.json"]
    assert "--classes" not in elsewhere
