"""Runs into a folder: stopped, taken up again, shared, refused, with pictures and a page."""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.colours import colour_model, colour_predictor, scene
from wsolkit import Panel
from wsolkit.components.boxes import LargestComponent
from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import ConfigError, DataError, MapError
from wsolkit.formats.csv_boxes import ListsWriter
from wsolkit.formats.score_maps import open_score_maps
from wsolkit.formats.writers import FORMATS
from wsolkit.inference import to_folder
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.run_folder import RunFolder, cut
from wsolkit.inference.to_folder import ALL, predict_to_folder
from wsolkit.lock import locked

ROOT = Path(__file__).parents[2]
FINAL = ("boxes.json", "dataset.json", "boxes.csv", "failed.csv", "without_box.csv")


def run(predictor, photos, out, **options):
    settings = {"formats": ["coco", "csv"], "chunk_size": 2, "num_workers": 0}
    return predict_to_folder(predictor, [photos], out, **{**settings, **options})


def contents(out):
    return {name: (out / name).read_bytes() for name in FINAL}


def test_a_run_writes_boxes_of_all_images(predictor, photos, tmp_path):
    summary = run(predictor, photos, tmp_path / "out")
    assert (summary.images, summary.boxes, summary.failed, summary.before) == (7, 7, 0, 0)
    boxes = {each["image_id"]: each for each in json.loads((tmp_path / "out" / "boxes.json").read_text())}
    images = {
        each["file_name"]: each["id"] for each in json.loads((tmp_path / "out" / "dataset.json").read_text())["images"]
    }
    assert boxes[images["blue/5.png"]]["bbox"] == [40, 8, 32, 32]
    assert boxes[images["blue/5.png"]]["category_id"] == 3
    assert (tmp_path / "out" / "failed.csv").read_text() == "image_id,path,reason\n"


def test_a_run_that_was_killed_goes_on_where_it_was(predictor, photos, tmp_path, monkeypatch):
    run(predictor, photos, tmp_path / "whole")
    write, written = RunFolder.write, []

    def killed(self, chunk, results, with_maps=False):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(chunk)
        write(self, chunk, results, with_maps)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            run(predictor, photos, tmp_path / "out")
    assert not (tmp_path / "out" / "boxes.json").exists()
    (tmp_path / "out" / "parts" / ".part-000002.jsonl.1.part").write_text("half a li")  # what kill -9 leaves
    (tmp_path / "out" / ".boxes.json.draft").write_text("[")
    summary = run(predictor, photos, tmp_path / "out")
    assert summary.before == sum(chunk.stop - chunk.start for chunk in written) > 0
    assert summary.computed == 7 - summary.before > 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert not list((tmp_path / "out").rglob(".*"))


@pytest.mark.slow
def test_kill_minus_nine(trained, photos, tmp_path):
    config, checkpoint = trained
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support import colours
from wsolkit.inference import Predictor
from wsolkit.inference.to_folder import predict_to_folder
from wsolkit.inference.run_folder import RunFolder
write, calls = RunFolder.write, []
def dies(self, *args):
    calls.append(1)
    write(self, *args)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
RunFolder.write = dies
predictor = Predictor.from_config({str(config)!r}, {str(checkpoint)!r}, device="cpu", batch_size=4)
predict_to_folder(
    predictor, [{str(photos)!r}], {str(tmp_path / "out")!r}, formats=["coco", "csv"], chunk_size=2, num_workers=0
)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == -9
    predictor = Predictor.from_config(config, checkpoint, device="cpu", batch_size=4)
    assert run(predictor, photos, tmp_path / "out").before > 0
    run(predictor, photos, tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_second_run_computes_nothing(predictor, photos, tmp_path, monkeypatch):
    run(predictor, photos, tmp_path / "out")
    before = contents(tmp_path / "out")
    monkeypatch.setattr(predictor.model, "activate", None)
    summary = run(predictor, photos, tmp_path / "out", formats=["coco", "csv", "yolo"])
    assert (summary.before, summary.computed, summary.images) == (7, 0, 7)
    assert contents(tmp_path / "out") == before
    assert (tmp_path / "out" / "yolo" / "data.yaml").exists()


def test_one_image_more_leaves_other_chunks_alone():
    images = [ImageFile(f"{number:04d}.jpg", "") for number in range(2000)]
    before = {chunk.name for chunk in cut(images, 50)}
    after = {chunk.name for chunk in cut([ImageFile("00001.jpg", ""), *images], 50)}
    assert len(before) > 25
    assert len(before - after) <= 5


def test_images_that_come_change_or_go_are_noticed(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    Image.fromarray(scene((0, 0, 64, 64), colour=1)).save(photos / "red" / "new.png")
    Image.fromarray(scene((0, 0, 64, 64), colour=2)).save(photos / "blue" / "5.png")
    (photos / "green" / "4.png").unlink()
    summary = run(predictor, photos, tmp_path / "out")
    assert summary.images == 7
    assert summary.computed >= 2
    fresh = tmp_path / "fresh"
    run(predictor, photos, fresh)
    assert contents(tmp_path / "out") == contents(fresh)
    assert sorted(path.name for path in (tmp_path / "out" / "parts").iterdir()) == sorted(
        path.name for path in (fresh / "parts").iterdir()
    )


def test_other_settings_are_refused(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    before = contents(tmp_path / "out")
    other = colour_predictor(threshold=0.25)
    with pytest.raises(ConfigError, match="threshold was 0.5 and is 0.25 now.*--overwrite"):
        run(other, photos, tmp_path / "out")
    with pytest.raises(ConfigError, match="classes was 'predicted' and is 'folder' now"):
        run(predictor, photos, tmp_path / "out", classes="folder")
    with pytest.raises(ConfigError, match="inputs was"):
        run(predictor, photos / "red", tmp_path / "out")
    assert contents(tmp_path / "out") == before
    assert run(other, photos, tmp_path / "out", overwrite=True).before == 0


def test_every_output_of_every_format_is_removed_by_overwrite(tmp_path):
    names = [name for writer in (*FORMATS.values(), ListsWriter) for name in writer.outputs]
    assert "cvat.json" in names
    folder = RunFolder(tmp_path / "out")
    folder.prepare({"threshold": 0.5}, overwrite=False)
    for name in names:
        (folder.folder / name).write_text("stale")
    folder.prepare({"threshold": 0.25}, overwrite=True)
    assert not [name for name in names if (folder.folder / name).exists()]


def test_a_folder_of_something_else_is_left_alone(predictor, photos, tmp_path):
    before = sorted(photos.rglob("*"))
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="is not empty and holds no predictions of ours.*nothing was changed"):
            run(predictor, photos, photos, overwrite=overwrite)
    assert sorted(photos.rglob("*")) == before
    with pytest.raises(ConfigError, match="is a file, but results are written to a folder"):
        run(predictor, photos, photos / "red" / "0.png")


def test_unreadable_images_are_listed(predictor, photos, tmp_path):
    (photos / "red" / "0.png").write_bytes((photos / "red" / "0.png").read_bytes()[:60])
    (photos / "red" / "z.jpg").write_bytes(b"")
    summary = run(predictor, photos, tmp_path / "out")
    assert (summary.images, summary.failed) == (6, 2)
    failed = (tmp_path / "out" / "failed.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in failed[1:]] == ["red/0.png", "red/z.jpg"]
    assert "cannot be read (0 bytes): its content is no image that Pillow knows. Replace" in failed[2]
    Image.fromarray(scene((0, 0, 64, 64))).save(photos / "red" / "0.png")
    assert run(predictor, photos, tmp_path / "out").failed == 1


def test_an_image_that_can_be_read_again_is_taken(predictor, photos, tmp_path, monkeypatch):
    import wsolkit.datasets.loading as loading

    read = loading.read_shrunk

    def offline(path, size):
        if str(path).endswith("3.png"):
            raise DataError("The drive is offline.")
        return read(path, size)

    with monkeypatch.context() as patch:
        patch.setattr(loading, "read_shrunk", offline)
        assert run(predictor, photos, tmp_path / "out").failed == 1
    assert run(predictor, photos, tmp_path / "out").failed == 0


def test_no_readable_image_is_an_error(predictor, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        run(predictor, tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "in" / "a.jpg").write_bytes(b"nothing")
    with pytest.raises(
        DataError, match=r"None of the 1 images could be read. The first: Image .*a\.jpg cannot be read"
    ):
        run(predictor, tmp_path / "in", tmp_path / "out")


def test_nan_stops_the_run_and_keeps_what_is_there(predictor, photos, tmp_path, monkeypatch):
    activate, calls = predictor.model.activate, []

    def diverges(images, batch=None):
        calls.append(len(images))
        activation = activate(images, batch)
        if len(calls) == 3:
            activation.logits[0] = float("nan")
        return activation

    with monkeypatch.context() as patch:
        patch.setattr(predictor.model, "activate", diverges)
        with pytest.raises(MapError, match="Image 'red/0.png': the model's logits hold NaN"):
            run(predictor, photos, tmp_path / "out")
    assert run(predictor, photos, tmp_path / "out").before > 0


def test_the_number_of_processes_is_checked(predictor, photos, tmp_path):
    with pytest.raises(ConfigError, match="num_workers is how many processes read images, but got -1"):
        run(predictor, photos, tmp_path / "out", num_workers=-1)


def test_maps_are_written_on_request(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    with pytest.raises(DataError, match="out holds no .npy, .npz or .safetensors file. Save each map as .* --maps"):
        open_score_maps(tmp_path / "out")
    summary = run(predictor, photos, tmp_path / "out", maps=True)
    assert summary.computed == 7, "there were no maps before"
    maps = open_score_maps(tmp_path / "out")
    assert len(maps.names()) == 7
    assert list(maps.image("blue/5.png").maps) == [2]
    found = maps.image(maps.names()[0])
    (again,) = colour_predictor(keep_maps=True)(photos / maps.names()[0])
    assert found.size == again.size
    assert list(found.maps) == list(again.maps)
    for index, score_map in found.maps.items():
        np.testing.assert_array_equal(score_map, again.maps[index].astype(np.float16))
    assert run(predictor, photos, tmp_path / "out", maps=True).computed == 0


def test_reading_processes_change_nothing(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "here")
    run(predictor, photos, tmp_path / "there", num_workers=1)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_damaged_part_is_named(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    part = sorted((tmp_path / "out" / "parts").iterdir())[1]
    part.write_text(part.read_text()[:50])
    with pytest.raises(DataError, match=rf"{part.name} is damaged .* Remove it and run the same command again"):
        run(predictor, photos, tmp_path / "out")
    part.unlink()
    assert 0 < run(predictor, photos, tmp_path / "out").computed < 7


def test_a_part_with_an_image_twice_is_damaged(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    part = next(part for part in (tmp_path / "out" / "parts").iterdir() if part.read_text().count("\n") > 1)
    lines = part.read_text().splitlines()
    part.write_text("\n".join([lines[0], *lines[:-1]]))
    with pytest.raises(DataError, match=rf"{part.name} holds image '.*' twice. Remove it and run the same command"):
        run(predictor, photos, tmp_path / "out")


def test_a_page_shows_every_picture(photos, tmp_path):
    (photos / "red" / "<b>&\"'.png").write_bytes((photos / "red" / "0.png").read_bytes())
    Image.new("RGB", (20, 40)).save(photos / "red" / "black.png")
    (photos / "red" / "<i>broken.png").write_bytes(b"")
    predictor = colour_predictor(batch_size=4)
    out = tmp_path / "out"
    summary = run(predictor, photos, out, draw=ALL, classes="folder")
    page = (out / "index.html").read_text()
    pictures = sorted(path.name for path in (out / "pictures").iterdir())
    assert len(pictures) == summary.pictures == 9
    assert sorted(re.findall(r'<img [^>]*src="pictures/([^"]+)"', page)) == pictures
    assert "<b>" not in page.replace("<b>red", "").replace("<b>green", "").replace("<b>blue", "")
    assert "&lt;b&gt;&amp;&#34;&#39;.png" in page
    assert "No box (1)" in page
    assert "Could not be read (1)" in page
    assert "&lt;i&gt;broken.png" in page
    assert "0.5 of the map&#39;s maximum, from the configuration" in page
    assert not re.search(r'(src|href)="(https?:|/)', page), "the page stands alone"
    scores = [float(score) for score in re.findall(r'data-trust="([^"]+)"', page)]
    assert scores[:-1] == sorted(scores[:-1])
    picture = np.asarray(Image.open(out / "pictures" / pictures[0]))
    assert picture.shape[1] == 806
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "pictures").iterdir()}
    run(predictor, photos, out, draw=ALL, classes="folder")
    assert {path.name: path.stat().st_mtime_ns for path in (out / "pictures").iterdir()} == kept


def test_the_doubtful_are_drawn_first(predictor, photos, tmp_path):
    Image.fromarray(scene((0, 0, 8, 8), colour=1)).save(photos / "red" / "small.png")
    summary = run(predictor, photos, tmp_path / "out", draw=2)
    names = sorted(path.name for path in (tmp_path / "out" / "pictures").iterdir())
    assert summary.pictures == 2
    assert any("small" in name for name in names)
    assert "the 2 most doubtful of 8 images" in (tmp_path / "out" / "index.html").read_text()
    with pytest.raises(ConfigError, match="how many pictures to draw, but got -3"):
        run(predictor, photos, tmp_path / "out", draw=-3)


def test_pictures_of_several_classes_show_the_map_of_each_and_the_least_likely_class_comes_first(photos, tmp_path):
    image = scene((16, 16, 80, 48), colour=0)
    image[40:60, 96:112, 1] = 255
    for path in photos.rglob("*.png"):
        path.unlink()
    Image.fromarray(image).save(photos / "a-red-green.png")
    Image.fromarray(scene((16, 16, 60, 40), colour=2)).save(photos / "b-blue.png")
    model = colour_model()
    with torch.no_grad():
        model.head.classifier.bias.fill_(-0.2)
    out = tmp_path / "out"
    run(colour_predictor(model=model, multi_label=True), photos, out, draw=ALL)
    page = (out / "index.html").read_text()
    shown = re.findall(r'data-trust="([^"]+)" data-number="(\d)"', page)
    boxes = json.loads((out / "boxes.json").read_text())
    scores = {number: [each["score"] for each in boxes if each["image_id"] == number] for number in (1, 2)}
    assert len(scores[1]) == 2
    assert max(scores[1]) > scores[2][0] > min(scores[1])
    assert [number for _, number in shown] == ["1", "2"]
    assert float(shown[0][0]) == pytest.approx(min(scores[1]), abs=1e-6)
    first, second = (np.asarray(Image.open(path)).astype(int) for path in sorted((out / "pictures").iterdir()))
    height = 200  # of a photo of 128 x 64 in a picture
    strip = (first.shape[0] - 2 * height) // 2
    assert (first.shape[1], second.shape[1]) == (806, 806)
    assert second.shape[0] < first.shape[0] == 2 * (height + strip)
    red, green = first[:height, 406:], first[height + strip : 2 * height + strip, :400]
    cells = {"red": (slice(60, 140), slice(70, 230)), "green": (slice(135, 180), slice(310, 340))}
    photo = first[:height, :400]
    heat = {name: np.abs(marked - photo).mean(2) for name, marked in (("red", red), ("green", green))}
    for own, other in (("red", "green"), ("green", "red")):  # heat lies where the class is
        assert heat[own][cells[own]].mean() > 1.25 * heat[other][cells[own]].mean()


def test_panels_are_drawn_beside_the_pictures_and_linked(photos, tmp_path):
    class ShowsTheMap(LargestComponent):
        def panels(self, score_map, features=None):
            return [Panel("the map", score_map), Panel("its upper half", score_map > 0.5)]

        def with_notes(self, score_map, features=None):
            return self(score_map, features), {"highest": round(float(score_map.max()), 3)}

    predictor = colour_predictor(model=colour_model(box_extractor=ShowsTheMap(0.5)))
    out = tmp_path / "out"
    summary = run(predictor, photos, out, draw=ALL, panels=True)
    names = sorted(path.name for path in (out / "pictures").iterdir())
    sheets = [name for name in names if name.endswith("-parts.jpg")]
    assert len(sheets) == summary.pictures == len(names) / 2
    assert {name.replace("-parts", "") for name in sheets} == set(names) - set(sheets)
    page = (out / "index.html").read_text()
    assert sorted(re.findall(r'class="parts" href="pictures/([^"]+)"', page)) == sheets
    assert np.asarray(Image.open(out / "pictures" / sheets[0])).shape == (176, 3 * 300 + 16, 3)
    assert all(each["notes"] == {"highest": 1.0} for each in json.loads((out / "boxes.json").read_text()))
    run(predictor, photos, out, draw=1)
    kept = sorted(path.name for path in (out / "pictures").iterdir())
    assert [name.endswith("-parts.jpg") for name in kept] == [True, False]
    with pytest.raises(ConfigError, match="panels=True draws beside pictures, but draw=0 draws none. Set draw, or"):
        run(predictor, photos, out, panels=True)


@pytest.mark.slow
def test_processes_share_the_images(trained, photos, tmp_path):
    config, checkpoint = trained
    script = tmp_path / "share.py"
    script.write_text(f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support import colours
from wsolkit.inference import Predictor
from wsolkit.inference.to_folder import predict_to_folder
predictor = Predictor.from_config({str(config)!r}, {str(checkpoint)!r}, device="cpu", batch_size=4)
summary = predict_to_folder(
    predictor, [{str(photos)!r}], sys.argv[1], formats=["coco", "csv"], chunk_size=2, num_workers=0, draw=-1
)
sys.stdout.write("computed " + str(summary and summary.computed) + chr(10))  # at once: the other process writes too
""")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", str(script)]
    done = subprocess.run(
        [*command, str(tmp_path / "shared")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "computed None" in done.stdout
    assert "computed 7" not in done.stdout
    predictor = Predictor.from_config(config, checkpoint, device="cpu", batch_size=4)
    run(predictor, photos, tmp_path / "alone", draw=ALL)
    assert contents(tmp_path / "alone") == contents(tmp_path / "shared")
    alone, shared = (
        sorted(path.name for path in (tmp_path / name / "pictures").iterdir()) for name in ("alone", "shared")
    )
    assert alone == shared


def test_parts_hold_failures(predictor, photos, tmp_path):
    (photos / "red" / "0.png").write_bytes(b"")
    run(predictor, photos, tmp_path / "out")
    lines = "".join(path.read_text() for path in sorted((tmp_path / "out" / "parts").iterdir())).splitlines()
    assert len(lines) == 7
    assert sum('"error"' in line for line in lines) == 1


@pytest.mark.parametrize("draw", [0, 3])
def test_a_folder_that_is_removed_while_it_is_written_to(draw, predictor, photos, tmp_path, monkeypatch):
    out, write = tmp_path / "out", RunFolder.write

    def removed(self, chunk, results, with_maps=False):
        write(self, chunk, results, with_maps)
        if not draw:
            shutil.rmtree(out)

    def removed_while_drawing(*_, **__):
        shutil.rmtree(out)
        (out / "pictures").mkdir(parents=True)
        (out / "pictures" / "000001-0-0123456789.jpg").write_text("drawn")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", removed)
        patch.setattr(to_folder, "draw_pictures", removed_while_drawing)
        with pytest.raises(DataError, match="run.json is gone: somebody has removed the folder.*Run the same command"):
            run(predictor, photos, out, draw=draw)
    assert not out.exists()
    assert run(predictor, photos, out).computed == 7


@pytest.mark.parametrize("name", ["parts", "maps", "pictures"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_lies_behind_a_link_is_left_alone(name, overwrite, predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    behind = tmp_path / "mine"
    behind.mkdir()
    (behind / "part-1.jsonl").write_text("mine")
    shutil.rmtree(tmp_path / "out" / name, ignore_errors=True)
    (tmp_path / "out" / name).symlink_to(behind)
    before = contents(tmp_path / "out")
    with pytest.raises(ConfigError, match=rf"out/{name} is a link, and nothing is written or removed behind one"):
        run(predictor, photos, tmp_path / "out", overwrite=overwrite, maps=True, draw=2)
    assert [path.name for path in behind.iterdir()] == ["part-1.jsonl"]
    assert contents(tmp_path / "out") == before


def test_a_folder_may_be_a_link_itself(predictor, photos, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    run(predictor, photos, tmp_path / "out")
    assert run(predictor, photos, tmp_path / "out").before == 7
    assert (tmp_path / "disk" / "boxes.json").exists()


def test_files_that_are_not_ours_stay(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out", maps=True, draw=1)
    mine = [tmp_path / "out" / name for name in ("parts/notes.txt", "maps/notes.txt", "pictures/best.jpg")]
    for path in mine:
        path.write_text("mine")
    (photos / "red" / "0.png").unlink()
    assert run(predictor, photos, tmp_path / "out", maps=True, draw=1).total == 6
    assert [path.read_text() for path in mine] == ["mine"] * 3


def test_two_predictions_do_not_share_a_folder(predictor, photos, tmp_path):
    with locked(tmp_path / "out", "prediction", "--out"), ThreadPoolExecutor() as threads:
        other = threads.submit(run, predictor, photos, tmp_path / "out")
        with pytest.raises(ConfigError, match="Another prediction of this very process works in .*another --out"):
            other.result()


@pytest.mark.parametrize("content", ["[1]", "3", "null", '"text"', "[" * 100_000])
def test_settings_of_another_shape_are_refused(content, predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    (tmp_path / "out" / "run.json").write_text(content)
    with pytest.raises(DataError, match=r"run.json cannot be read \(.*remove the file and what lies beside it"):
        run(predictor, photos, tmp_path / "out")


def test_a_part_of_another_shape_is_refused(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out")
    part = next((tmp_path / "out" / "parts").iterdir())
    for line in ('{"error": 3}\n', '{"id": 3}\n'):
        part.write_text(line)
        with pytest.raises(DataError, match="is damaged .*This is no line of a part file.*Remove it and run the same"):
            run(predictor, photos, tmp_path / "out")
