"""The whole command on small scenes: what it leaves behind, taken up again, with more and with fewer photographs."""

import json
import shutil

import pytest
import torch

from tests.labelling.conftest import METHOD
from wsolkit.cli.main import main
from wsolkit.errors import ConfigError, DataError
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.run_folder import RunFolder
from wsolkit.labelling import learnt_map
from wsolkit.labelling.boxes import one_sided
from wsolkit.labelling.cuts import CHECKED
from wsolkit.labelling.learn import learnt_before, republish
from wsolkit.labelling.run import label
from wsolkit.model.threshold import MAPS_ALONE


def bytes_of(folder, *names):
    return {name: (folder / name).read_bytes() for name in names or ("boxes.json", "dataset.json", "last.pth")}


def relabel(scenes, folder, **options):
    said = []
    return label(scenes, folder, method=METHOD, formats=("coco",), draw=0, say=said.append, **options), said


@pytest.fixture
def copied(scenes, labelled, tmp_path):
    """Photographs and their labels, which a test may change."""
    shutil.copytree(scenes.parent, tmp_path / "all", symlinks=True)
    return tmp_path / "all" / "photos", tmp_path / "all" / "labels"


def test_label_leaves_boxes_a_page_and_an_ordinary_model(labelled):
    found, said = labelled
    assert (found.photographs, found.failed, found.new) == (24, 0, 0)
    assert found.boxes == len(json.loads((found.folder / "boxes.json").read_text())) > 20
    images = json.loads((found.folder / "dataset.json").read_text())["images"]
    assert len(images) == 24
    assert (found.folder / "index.html").exists()
    assert len(list((found.folder / "pictures").glob("*.jpg"))) == 5
    assert found.config.exists()
    assert found.checkpoint.exists()
    steps = [line.split(":")[0] for line in said if line[1:3] == "/5"]
    assert steps == ["1/5 reading", "2/5 features", "3/5 learning", "4/5 boxes", "5/5 pictures"]


def test_boxes_are_named_after_the_folders(labelled):
    found, _ = labelled
    content = json.loads((found.folder / "dataset.json").read_text())
    names = {each["id"]: each["name"] for each in content["categories"]}
    files = {each["id"]: each["file_name"] for each in content["images"]}
    assert all(files[each["image_id"]].split("/")[0] == names[each["category_id"]] for each in content["annotations"])


def test_the_model_predicts_and_is_tested_as_any_other(scenes, labelled, tmp_path, capsys):
    found, _ = labelled
    assert main(["predict", str(found.checkpoint), str(scenes / "ring-red"), "--out", str(tmp_path / "x")]) == 0
    own, again = boxes_of(found.folder), boxes_of(tmp_path / "x")
    assert len(again) == 8
    for name, box in again.items():
        assert own[f"ring-red/{name}"] == pytest.approx(box, abs=0.01)
    boxes = f"dataset.boxes={scenes / 'boxes.json'}"
    options = [f"{split}_dataloader.{boxes}" for split in ("val", "test")]
    command = ["test", str(found.config), str(found.checkpoint), "--out", str(tmp_path / "test"), "--no-report"]
    assert main([*command, "--cfg-options", *options]) == 0
    assert "GT-known" in capsys.readouterr().out


def boxes_of(folder):
    content = json.loads((folder / "dataset.json").read_text())
    files = {each["id"]: each["file_name"] for each in content["images"]}
    return {files[each["image_id"]]: each["bbox"] for each in content["annotations"]}


def test_the_same_command_does_nothing_twice(scenes, labelled, monkeypatch):
    found, _ = labelled
    before = bytes_of(found.folder)

    def refuse(*_, **__):
        raise AssertionError("this was done before")

    monkeypatch.setattr(learnt_map, "train_map", refuse)
    monkeypatch.setattr("wsolkit.inference.predictor.Predictor.run", lambda *_: iter(()))
    again, said = relabel(scenes, found.folder)
    assert "3/4 learning: done before, from 24 photographs" in said
    assert again.boxes == found.boxes
    assert bytes_of(found.folder) == before


def test_stopped_at_any_step_it_ends_with_the_same_bytes(scenes, labelled, tmp_path, monkeypatch):
    found, _ = labelled
    stops = iter(range(1, 100))

    def stopping(work, after):
        calls = []

        def stopped(*arguments, **options):
            result = work(*arguments, **options)
            calls.append(next(stops))
            if len(calls) == after:
                raise KeyboardInterrupt
            return result

        return stopped

    places = [("wsolkit.features.compute.write_chunk", 1), ("wsolkit.training.checkpoints.Checkpoints._save", 2)]
    places += [("wsolkit.labelling.learnt_map.train_map", 1)]
    places += [("wsolkit.inference.run_folder.RunFolder.write", 1), ("wsolkit.labelling.boxes.write_results", 1)]
    for place, after in places:
        owner, _, name = place.rpartition(".")
        with monkeypatch.context() as patch:
            target = RunFolder.write if name == "write" else None
            patch.setattr(place, stopping(target or found_at(owner, name), after))
            with pytest.raises(KeyboardInterrupt):
                relabel(scenes, tmp_path / "labels")
    relabel(scenes, tmp_path / "labels")
    assert bytes_of(tmp_path / "labels", "boxes.json") == bytes_of(found.folder, "boxes.json")
    assert not list((tmp_path / "labels").rglob(".*"))


def found_at(owner, name):
    from pkgutil import resolve_name

    return getattr(resolve_name(owner), name)


def test_new_photographs_are_labelled_with_the_learnt_map(copied):
    photos, folder = copied
    learnt = bytes_of(folder, "last.pth")
    shutil.copy(photos / "ring-red" / sorted(path.name for path in (photos / "ring-red").iterdir())[0],
                photos / "star-blue" / "new.png")  # fmt: skip
    next((photos / "cross-yellow").iterdir()).unlink()
    found, said = relabel(photos, folder)
    assert (found.photographs, found.new) == (24, 1)
    assert "1 new photograph is labelled with it (--retrain learns again from all)" in " ".join(said)
    assert bytes_of(folder, "last.pth") == learnt
    names = {each["file_name"] for each in json.loads((folder / "dataset.json").read_text())["images"]}
    assert "star-blue/new.png" in names
    assert len(names) == 24
    found, said = relabel(photos, folder, retrain=True)
    assert found.new == 0
    assert bytes_of(folder, "last.pth") != learnt


def test_other_settings_and_photographs_are_refused(scenes, labelled, tmp_path):
    found, _ = labelled
    before = bytes_of(found.folder)
    with pytest.raises(ConfigError, match="labels made with other settings: seed was 0 and is 1 now"):
        relabel(scenes, found.folder, seed=1)
    shutil.copytree(scenes, tmp_path / "others")
    with pytest.raises(ConfigError, match="labels of other photographs, in .*photos"):
        relabel(tmp_path / "others", found.folder)
    assert bytes_of(found.folder) == before


def test_labels_that_were_moved_with_their_photographs_go_on(copied):
    photos, folder = copied
    found, said = relabel(photos, folder)
    assert any("done before" in line for line in said)
    assert found.photographs == 24


def test_split_folders_are_read_together_and_broken_photographs_left_out(scenes, tmp_path):
    for split, name in (("train", "ring-red"), ("Val", "ring-red"), ("train", "star-blue")):
        shutil.copytree(scenes / name, tmp_path / "photos" / split / name)
    (tmp_path / "photos" / "train" / "star-blue" / "broken.jpg").write_bytes(b"nothing")
    found, said = relabel(tmp_path / "photos", tmp_path / "labels")
    assert (found.photographs, found.failed) == (24, 1)
    assert any("1 cannot be read and is left out" in line and "broken.jpg" in line for line in said)
    assert "train/star-blue/broken.jpg" in (tmp_path / "labels" / "failed.csv").read_text()


@pytest.mark.parametrize("count", [2, 15])
def test_few_photographs_of_one_class_will_do(scenes, tmp_path, count):
    files = sorted(scenes.rglob("*.png"))[:count]
    (tmp_path / "photos" / "bird").mkdir(parents=True)
    for path in files:
        shutil.copy(path, tmp_path / "photos" / "bird" / f"{path.parent.name}-{path.name}")
    found, _ = relabel(tmp_path / "photos", tmp_path / "labels")
    assert found.photographs == count


def test_one_photograph_is_refused(scenes, tmp_path):
    (tmp_path / "photos" / "bird").mkdir(parents=True)
    shutil.copy(next(scenes.rglob("*.png")), tmp_path / "photos" / "bird")
    with pytest.raises(DataError, match="the map is learnt from what photographs have in common. Give 2 at least"):
        relabel(tmp_path / "photos", tmp_path / "labels")


def doubts_of(folder):
    return {each["image_id"]: each["doubt"] for each in json.loads((folder / "boxes.json").read_text())}


def test_every_box_has_a_doubt_and_next_txt_lists_the_doubtful_first(labelled):
    found, said = labelled
    doubts = doubts_of(found.folder)
    images = json.loads((found.folder / "dataset.json").read_text())["images"]
    names = {each["id"]: each["file_name"] for each in images}
    worst = {names[image]: doubt for image, doubt in doubts.items()}
    assert all(0 <= doubt <= 1 for doubt in doubts.values())
    lines = [line.split("\t") for line in (found.folder / "next.txt").read_text().splitlines()]
    listed = [name for _, name in lines]
    assert all(float(doubt) == pytest.approx(worst.get(name, 1), abs=0.006) for doubt, name in lines)
    boxed = [name for name in listed if name in worst]
    assert boxed == sorted(boxed, key=lambda name: -worst[name])
    assert sorted(listed) == sorted(names.values())
    assert found.verdict.line in said
    assert any(line.endswith("label-free, from the maps alone") for line in said)
    assert found.verdict.line in (found.folder / "index.html").read_text()


def test_the_mirror_image_that_doubt_compares_with_is_not_averaged(labelled):
    predictor = Predictor.from_config(labelled[0].checkpoint)
    images = torch.rand(1, 3, 32, 32)
    maps = []
    for each in (predictor, one_sided(predictor)):
        model, classes = each.model, torch.tensor([0])
        with torch.no_grad():
            maps.append([model.cam_method.raw_maps(model, side, classes) for side in (images, images.flip(-1))])
    (averaged, turned), (own, others) = maps
    torch.testing.assert_close(averaged, turned.flip(-1))
    torch.testing.assert_close(averaged, (own + others.flip(-1)) / 2)
    assert not torch.allclose(own, others.flip(-1), atol=1e-3)


def test_checked_boxes_replace_those_found_and_stay(scenes, copied, tmp_path, monkeypatch):
    photos, folder = copied
    truth = json.loads((scenes / "boxes.json").read_text())
    truth["images"] = truth["images"][:12]
    chosen = {each["id"]: each["file_name"] for each in truth["images"]}
    truth["annotations"] = [each for each in truth["annotations"] if each["image_id"] in chosen]
    (tmp_path / "checked.json").write_text(json.dumps(truth))
    found, said = relabel(photos, folder, verified=tmp_path / "checked.json")
    assert found.honest.images == 12
    assert f"of 12 boxes that were looked at are right: {100 * found.honest.hits:.1f} % [" in " ".join(said)
    assert f"mean IoU of 12 {found.honest.mean_iou:.2f}; each half cut as the other half says" in " ".join(said)
    assert any("no other one fits the boxes of 12 checked photographs surely better" in line for line in said)
    assert (found.honest.chosen, source_of(found)) == (False, MAPS_ALONE)
    republish(folder, 0.9, CHECKED)  # as if these photographs had chosen it in a run before
    again, _ = relabel(photos, folder)
    assert again.honest.line == found.honest.line, "a cut that they have chosen themselves is none to judge them at"
    assert source_of(again) == MAPS_ALONE
    monkeypatch.setattr(learnt_map, "learnt_before", lambda out: learnt_before(out)._replace(cut=None))
    republish(folder, 0.9, CHECKED)  # in a checkpoint that does not say what the maps alone had said
    true = {chosen[each["image_id"]]: each["bbox"] for each in truth["annotations"]}
    for _ in range(2):
        written = json.loads((folder / "dataset.json").read_text())
        names = {each["id"]: each["file_name"] for each in written["images"]}
        boxes = {names[each["image_id"]]: each["bbox"] for each in written["annotations"]}
        assert {name: boxes[name] for name in true} == {name: pytest.approx(box) for name, box in true.items()}
        assert not [name for name in true if name in (folder / "next.txt").read_text()]
        again, _ = relabel(photos, folder)
        assert (again.honest.line, source_of(again)) == (found.honest.line, MAPS_ALONE)


def source_of(found):
    return Predictor.from_config(found.checkpoint).threshold_source


def test_checked_photographs_choose_a_cut_that_is_surely_better(scenes, copied, monkeypatch):
    """Where the maps alone say something bad; a cut that is given stays."""
    photos, folder = copied
    monkeypatch.setattr(learnt_map, "learnt_before", lambda out: learnt_before(out)._replace(cut=0.98))
    given, said = relabel(photos, folder, verified=scenes / "boxes.json", threshold=0.98)
    assert (given.honest.cut, given.honest.given, source_of(given)) == (0.98, True, MAPS_ALONE)
    assert any("; cut at 0.98). It holds for what was looked at" in line for line in said)
    found, said = relabel(photos, folder)
    assert (found.honest.chosen, source_of(found)) == (True, CHECKED)
    assert any(line.endswith(CHECKED) for line in said)
    assert found.honest.mean_iou > given.honest.mean_iou


def test_masks_are_found_where_they_are_asked_for(labelled, copied):
    (found, _), (photos, folder) = labelled, copied
    relabel(photos, folder, masks=True)
    assert all("segmentation" in each for each in json.loads((folder / "boxes.json").read_text()))
    assert boxes_of(folder) != boxes_of(found.folder)
    assert doubts_of(folder) == pytest.approx(doubts_of(found.folder), abs=1e-4)  # of the map's boxes all the same
