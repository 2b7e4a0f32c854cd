"""``wsolkit evaluate``: numbers, files, exit codes and the words of mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.peak_protocol import peak_protocol  # noqa: F401 - a fixture
from wsolkit.cli.evaluate import class_list, default_name
from wsolkit.cli.main import main
from wsolkit.errors import DataError

BOXES = {"a/1.jpg": (2, 2, 8, 8), "a/2.jpg": (0, 0, 5, 5), "b/3.jpg": (1, 4, 9, 10), "b/4.jpg": (3, 0, 9, 9)}
LABELS = {"a/1.jpg": 0, "a/2.jpg": 0, "b/3.jpg": 1, "b/4.jpg": 1}


def write_split(folder):
    folder.mkdir(parents=True)
    (folder / "image_ids.txt").write_text("\n".join(BOXES))
    (folder / "class_labels.txt").write_text("\n".join(f"{name},{label}" for name, label in LABELS.items()))
    (folder / "image_sizes.txt").write_text("\n".join(f"{name},10,10" for name in BOXES))
    lines = [f"{name},{x0},{y0},{x1 - 1},{y1 - 1}" for name, (x0, y0, x1, y1) in BOXES.items()]
    (folder / "localization.txt").write_text("\n".join(lines))


def write_maps(path, wrong=()):
    maps = {name: np.zeros((10, 10), np.float32) for name in BOXES}
    for name, (x0, y0, x1, y1) in BOXES.items():
        maps[name][y0:y1, x0:x1] = 1
        if name in wrong:
            maps[name][:] = 0
            maps[name][0:2, 0:2] = 1  # outside the box
    np.savez_compressed(path, **maps)


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split in ("val", "test"):
        write_split(tmp_path / "metadata" / split)
    write_maps(tmp_path / "val.npz")
    write_maps(tmp_path / "cam.npz", wrong=["b/4.jpg"])
    return ["evaluate", "--maps", "cam.npz", "--metadata", "metadata/test", "--size", "map", "--threads", "2"]


def results(folder="evaluation"):
    return json.loads(Path(folder, "results.json").read_text(encoding="utf-8"))


def test_thresholds_from_val(command, tmp_path, capsys):
    argv = [*command, "--val-maps", "val.npz", "--val-metadata", "metadata/val", "--protocol", "MaxBoxAcc-exact"]
    assert main([*argv, "--name", "mine"]) == 0
    printed = capsys.readouterr()
    assert "75.0" in printed.out
    assert "chosen on val" in " ".join(printed.out.split())
    assert "oracle" in printed.out
    assert "Thresholds were chosen on the scored split itself" not in printed.err
    content = results()
    assert set(content) >= {"wsolkit", "name", "split", "images", "command", "maps", "image_root", "classes", "results"}
    assert (content["name"], content["split"], content["images"]) == ("mine", "test", 4)
    assert content["maps"] == str(tmp_path / "cam.npz")
    lines = content["results"][0]["lines"]
    assert [(line["percent"], line["selection"]) for line in lines] == [
        (75.0, "chosen on val"),
        (75.0, "label-free"),
        (75.0, "test-oracle"),
    ]
    assert lines[0]["macro"] == 75.0
    assert content["trials_at"]["selection"] == "chosen on val"
    outcomes = {trial["image_id"]: trial["outcome"] for trial in content["trials"]}
    assert [name for name, outcome in outcomes.items() if outcome != "hit"] == ["b/4.jpg"]
    assert (tmp_path / "evaluation" / "index.html").exists()


def test_every_protocol_that_fits(command, capsys):
    assert main([*command, "--no-report"]) == 0
    names = [result["metric"] for result in results()["results"]]
    assert {"localization", "MaxBoxAcc", "MaxBoxAccV2", "BoxAcc", "CorLoc"} <= set(names)
    assert len(set(names)) == len(names)
    assert "warning: Thresholds were chosen on the scored split itself" in capsys.readouterr().err
    assert [path.name for path in Path("evaluation").iterdir()] == ["results.json"]


def test_class_scores(command, tmp_path):
    rows = {"a/1.jpg": (1, 0), "a/2.jpg": (0, 1), "b/3.jpg": (0, 1), "b/4.jpg": (0, 1)}
    (tmp_path / "l.csv").write_text("".join(f"{name},{x},{y}\n" for name, (x, y) in rows.items()))
    assert main([*command, "--logits", "l.csv", "--protocol", "localization", "accuracy", "--threshold", ".5"]) == 0
    first, second = results()["results"]
    found = {line["name"]: line["percent"] for line in first["lines"] if line["selection"] == "fixed"}
    assert (found["GT-known"], found["top-1 loc"]) == (75.0, 50.0)
    assert second["lines"][0]["percent"] == 75.0


def test_results_are_not_overwritten(command, tmp_path, capsys):
    argv = [*command, "--no-report", "--protocol", "CorLoc"]
    assert main(argv) == 0
    capsys.readouterr()
    assert main([*argv, "--size", "64"]) == 2
    words = "holds results of other settings: size was 'map' and is '64' now. Choose another --out, or add --overwrite"
    assert words in capsys.readouterr().err
    assert main([*argv, "--threads", "1", "--name", "again"]) == 0, "the same may be replaced"
    assert main([*argv, "--size", "64", "--overwrite", "--name", "again"]) == 0
    assert results()["name"] == "again"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    assert main([*argv, "--out", "full", "--overwrite"]) == 2
    assert "is not empty and holds no results of ours" in capsys.readouterr().err
    (tmp_path / "full" / "results.json").write_text("[1]")
    assert main([*argv, "--out", "full", "--overwrite"]) == 2
    assert "was not written by wsolkit evaluate" in capsys.readouterr().err
    assert main([*argv, "--out", "full/thesis.tex"]) == 2
    assert "is a file, but results are written to a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--protocol", "maxboxac"], "There is no protocol 'maxboxac'. Did you mean 'MaxBoxAcc'"),
        (["--protocol", "PxAP"], "Protocol PxAP needs masks"),
        (["--protocol", "accuracy"], "there is no logits here"),
        (["--maps", "none.npz"], "There is no file or folder none.npz"),
        (["--metadata", "metadata"], "holds the splits 'test', 'val'. Choose one with --split"),
        (["--size", "big"], "--size should be a number of pixels"),
        (["--resize", "nearest"], "resize should be one of"),
        (["--normalize", "max"], "normalize should be one of"),
        (["--threshold", "3"], "--threshold should be a fraction"),
        (["--threads", "-1"], "threads should be 0 or more"),
        (["--val-maps", "val.npz"], "Give both --val-maps and --val-metadata"),
        (["--logits", "l.txt"], "should be a .npz or .csv file"),
        (["--size", "20", "--resize", "refuse"], "is 10 x 10 (H x W), but 20 x 20 is wanted"),
        (["--classes", "one"], "label should be one of 0 to 0, but got '1'"),
    ],
)
def test_mistakes_are_explained(command, tmp_path, capsys, change, words):
    assert main([*command, *change]) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "evaluation").exists()


def test_names_of_classes(tmp_path):
    assert class_list(["cat", "dog"]) == ["cat", "dog"]
    path = tmp_path / "classes.txt"
    path.write_text("0,cat\n1,dog\n")
    assert class_list([str(path)]) == ["cat", "dog"]
    path.write_text("cat\ndog, wild\n")
    assert class_list([str(path)]) == ["cat", "dog, wild"]
    path.write_text("1,cat\n")
    with pytest.raises(DataError, match=r"classes.txt should name every label from 0 to 1, but lacks \[0\]"):
        class_list([str(path)])
    path.write_text("")
    with pytest.raises(DataError, match="names no class"):
        class_list([str(path)])


def test_a_report_of_oracle_numbers_alone(command, tmp_path):
    assert main([*command, "--protocol", "MaxBoxAccV2"]) == 0
    assert "test-oracle" in (tmp_path / "evaluation" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("change", [["--resize", "nearest"], ["--normalize", "nearest"]])
def test_options_are_checked_before_maps(command, capsys, change):
    assert main([*command, *change, "--maps", "none.npz"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {change[0]} should be one of ")


def test_a_folder_that_cannot_be_written_to_is_found_at_once(command, tmp_path, capsys):
    (tmp_path / "cam.npz").write_bytes(b"never read")
    assert main([*command, "--out", "/proc/nope/x"]) == 2
    assert "error: /proc/nope/x cannot be written to: " in capsys.readouterr().err


def test_numbers_are_printed_before_files_are_written(command, monkeypatch, capsys):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wsolkit.report.evaluation_file.write_json", full)
    assert main([*command, "--protocol", "CorLoc"]) == 2
    printed = capsys.readouterr()
    assert "75.0" in printed.out
    assert "results.json cannot be written: No space left on device" in printed.err


def test_no_page_of_earlier_results_is_left(command, monkeypatch, capsys):
    argv = [*command, "--protocol", "CorLoc", "--overwrite"]
    assert main(argv) == 0
    page = Path("evaluation", "index.html")
    assert page.exists()
    assert main([*argv, "--no-report"]) == 0
    assert not page.exists()
    assert main(argv) == 0

    def fails(folder, content):
        raise DataError("The page cannot be written.")

    monkeypatch.setattr("wsolkit.report.page.write_report", fails)
    assert main([*argv, "--name", "new"]) == 2
    assert (results()["name"], page.exists()) == ("new", False)
    assert "evaluation/results.json" in capsys.readouterr().out


def test_the_name_of_a_run(tmp_path, command):
    for folder in ("cam_0.2", "cam_0.2/test"):
        (tmp_path / folder).mkdir()
    (tmp_path / "cam.v1.npz").write_bytes(b"")
    assert default_name(tmp_path / "cam_0.2", "test") == "cam_0.2"
    assert default_name(tmp_path / "cam_0.2" / "test", "test") == "cam_0.2/test"
    assert default_name(tmp_path / "cam_0.2" / "test", "val") == "test"
    assert default_name(tmp_path / "cam.v1.npz", "test") == "cam.v1"
    (tmp_path / "cam.npz").rename(tmp_path / "cam_0.2" / "test.npz")
    assert main([*command, "--maps", "cam_0.2/test.npz", "--protocol", "CorLoc", "--no-report"]) == 0
    assert results()["name"] == "cam_0.2/test"


def test_maps_of_several_splits(command, tmp_path, capsys):
    for name in BOXES:
        for split in ("test", "val"):
            path = tmp_path / "both" / split / f"{name if split == 'test' else name + 'x'}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, np.ones((10, 10), np.float32))
    assert main([*command, "--maps", "both"]) == 2
    printed = capsys.readouterr().err
    assert "below 'test/' names end in the image ids, such as 'test/a/1.jpg'" in printed
    assert "Give both/test." in printed
    assert main([*command, "--maps", "both/test", "--protocol", "CorLoc"]) == 0


def test_coco_maps_named_after_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images = [{"id": 139 + k, "file_name": f"photos/00{k}.jpg", "width": 10, "height": 10} for k in range(2)]
    truth = [
        {"id": k, "image_id": 139 + k, "category_id": 3, "bbox": [2, 2, 5, 5], "area": 25, "iscrowd": 0}
        for k in range(2)
    ]
    content = {"images": images, "annotations": truth, "categories": [{"id": 3, "name": "cat"}]}
    Path("coco.json").write_text(json.dumps(content))
    box = np.zeros((10, 10), np.float32)
    box[2:7, 2:7] = 1
    np.savez("maps.npz", **{"photos/000.jpg": box, "photos/001.jpg": 1 - box})
    argv = ["evaluate", "--maps", "maps.npz", "--metadata", "coco.json", "--size", "map", "--protocol", "CorLoc"]
    assert main(argv) == 0
    assert "50.0" in capsys.readouterr().out


def test_trivial_baselines_are_printed_written_and_drawn(command, tmp_path, capsys):
    """The whole image has IoU .36, .25, .48 and .54 with the boxes."""
    assert main([*command, "--protocol", "CorLoc", "MaxBoxAcc-exact", "--threshold", "0.5"]) == 0
    printed = capsys.readouterr().out
    content = results()
    found = {
        name: {
            line["name"]: line["percent"] for result in both for line in result["lines"] if line["selection"] == "fixed"
        }
        for name, both in content["baselines"].items()
    }
    assert found["whole image"] == {"CorLoc": 25.0, "CorLoc micro": 25.0, "MaxBoxAcc@50": 25.0}
    assert set(found) == {"centre box (half the area)", "centred Gaussian blob", "whole image"}
    row = next(line for line in printed.splitlines() if "MaxBoxAcc@50" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[1] == "75.0"
    assert cells[-3:] == [f"{each['MaxBoxAcc@50']:.1f}" for each in found.values()]
    page = (tmp_path / "evaluation" / "index.html").read_text(encoding="utf-8")
    assert page.count("trivial baseline") == 2
    assert all(page.count(f"<tr><td>{name}</td>") == 2 for name in found)


@pytest.mark.usefixtures("peak_protocol")
def test_a_protocol_of_a_plugin(command, monkeypatch, capsys):
    """Its numbers stand in the table, in results.json, and in compare; a misspelt name finds it."""
    monkeypatch.setenv("COLUMNS", "160")
    assert main([*command, "--protocol", "mean-peak", "--no-report", "--name", "one"]) == 0
    assert "mean peak" in capsys.readouterr().out
    content = results()
    assert [(each["metric"], each["lines"][0]["percent"]) for each in content["results"]] == [("mean-peak", 100.0)]
    assert content["baselines"]["whole image"][0]["lines"][0]["percent"] == 100.0
    argv = [*command, "--protocol", "mean-peak", "CorLoc", "--no-report", "--out", "other", "--name", "two"]
    assert main(argv) == 0
    capsys.readouterr()
    assert main(["compare", "evaluation", "other", "--out", "side"]) == 0
    printed = capsys.readouterr().out
    assert "mean-peak: mean peak" in printed
    assert "whole image" in printed
    numbers = json.loads(Path("side", "compare.json").read_text())["numbers"]
    assert [(each["metric"], each["runs"][0] and each["runs"][0]["percent"]) for each in numbers] == [
        ("mean-peak", 100.0), ("CorLoc", None), ("CorLoc", None),
    ]  # fmt: skip
    assert main([*command, "--protocol", "mean-peek"]) == 2
    assert "There is no protocol 'mean-peek'. Did you mean 'mean-peak'" in capsys.readouterr().err
