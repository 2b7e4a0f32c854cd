"""The file of an evaluation and its folder: claimed before anything is computed, written whole, and read again."""

import json
import math

import numpy as np
import pytest

from wsolkit import ConfigError, DataError
from wsolkit.evaluation.failures import Trial
from wsolkit.evaluation.results import Curve, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.report import page
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import (
    PAGE,
    as_dict,
    claim_results,
    evaluation_of,
    read_evaluation,
    write_evaluation,
)


def test_the_probe_leaves_nothing(tmp_path):
    assert claim_results(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    claim_results(tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"cannot be written to: Not a directory. Choose another --out"):
        claim_results(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "x"


def test_results_of_the_same_checkpoint_may_be_replaced(tmp_path):
    write_evaluation(tmp_path, Evaluation("mine", checkpoint="/runs/cam/best.pth"), page=False)
    before = (tmp_path / "results.json").read_bytes()
    assert claim_results(tmp_path, settings={"checkpoint": "/runs/cam/best.pth"}, writer="wsolkit test") == tmp_path
    for settings in ({"checkpoint": "/runs/has/best.pth"}, None):
        with pytest.raises(ConfigError) as caught:
            claim_results(tmp_path, settings=settings, writer="wsolkit test")
        assert str(caught.value) == (
            f"{tmp_path} holds the results of /runs/cam/best.pth. Choose another --out, or add --overwrite; "
            "nothing was changed."
        )
        claim_results(tmp_path, overwrite=True, settings=settings)
    assert (tmp_path / "results.json").read_bytes() == before


def test_results_of_no_checkpoint_are_those_of_an_earlier_run(tmp_path):
    write_evaluation(tmp_path, Evaluation("maps", maps="/maps"), page=False)
    for settings in (None, {"checkpoint": "/runs/cam/best.pth"}, {"maps": "/maps"}):
        with pytest.raises(ConfigError, match="holds the results of an earlier run. Choose another --out, or add"):
            claim_results(tmp_path, settings=settings)


def test_results_of_other_settings_are_not_replaced(tmp_path):
    settings = {"checkpoint": "/runs/cam/best.pth", "split": "test", "options": {"model.cam.type": "GradCAM"}}
    evaluation = Evaluation("mine", checkpoint="/runs/cam/best.pth", settings=settings)
    write_evaluation(tmp_path, evaluation, page=False)
    assert read_evaluation(tmp_path).settings == settings
    claim_results(tmp_path, settings=settings)
    changed = {**settings, "options": {}, "protocols": ["PxAP"]}
    with pytest.raises(ConfigError) as caught:
        claim_results(tmp_path, settings=changed)
    assert str(caught.value) == (
        f"{tmp_path} holds results of other settings: options was {{'model.cam.type': 'GradCAM'}} and is {{}} now, "
        "protocols was None and is ['PxAP'] now. Choose another --out, or add --overwrite; nothing was changed."
    )
    claim_results(tmp_path, overwrite=True, settings=changed)


@pytest.mark.parametrize("text", ["[1]", "{}", "no JSON", '{"wsolkit": "0.2"}'])
def test_what_is_not_ours_is_not_replaced(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ConfigError, match=r"results.json was not written by wsolkit test. Choose another --out"):
        claim_results(tmp_path, overwrite=True, writer="wsolkit test")
    assert (tmp_path / "results.json").read_text() == text


def test_a_page_that_cannot_be_removed_stops_the_writing(tmp_path):
    assert PAGE == page.PAGE
    (tmp_path / PAGE).mkdir()
    with pytest.raises(ConfigError, match=r"index.html, the page of earlier results, cannot be removed.*not changed"):
        write_evaluation(tmp_path, Evaluation())
    assert not (tmp_path / "results.json").exists()


def whole(make):
    """Return an evaluation that has something everywhere."""
    blob = make.result("MaxBoxAcc", [make.line("MaxBoxAcc@50", 30.0, 0.5, "chosen on val")])
    content = make.content(
        config="cam_cub", checkpoint="/runs/best.pth", maps="/maps", image_root="/images", extractor="AllComponents",
        remarks=["Mind the gap."], details={"threshold": 0.2}, baselines={"centred Gaussian blob": [blob]},
    )  # fmt: skip
    return evaluation_of(content, "mine/results.json")


def test_what_is_written_is_read_again(make, tmp_path):
    first = whole(make)
    assert [path.name for path in write_evaluation(tmp_path, first)] == ["results.json", "index.html"]
    second = read_evaluation(tmp_path)
    text = (tmp_path / "results.json").read_text()
    assert json.loads(json.dumps(as_dict(second))) == json.loads(json.dumps(as_dict(first))) == json.loads(text)
    assert second.path == tmp_path / "results.json"
    names = ("name", "split", "images", "trials", "trials_at", "classes", "version", "command", "config", "checkpoint")
    more = ("maps", "image_root", "extractor", "remarks", "details")
    for name in (*names, *more):
        assert getattr(second, name) == getattr(first, name), name
        assert getattr(second, name), name
    (blob,) = second.baselines["centred Gaussian blob"]
    assert (blob.metric, blob["MaxBoxAcc@50"].percent, blob.lines[0].threshold) == ("MaxBoxAcc", 30.0, 0.5)


def test_results_from_before_the_baselines_are_read(make, write):
    content = make.content()
    assert "baselines" not in content
    assert read_evaluation(write("old", content)).baselines == {}
    assert read_evaluation(write("none", make.content(baselines=None))).baselines == {}


@pytest.mark.parametrize(
    ("baselines", "words"),
    [
        ({"blob": [3]}, r"baselines\['blob'\]"),
        ({"blob": [{"lines": []}]}, r"baselines\['blob'\]: 'metric' is missing"),
        ({"blob": None}, r"baselines\['blob'\]"),
    ],
)
def test_broken_baselines_are_named(make, baselines, words):
    with pytest.raises(DataError, match=rf"not a whole evaluation: {words}"):
        evaluation_of(make.content(baselines=baselines), "x/results.json")


def test_results_in_a_folder_below_are_named(make, write, tmp_path):
    for folder in ("runs/val", "runs/test", "runs/empty"):
        write(folder, make.content())
    (tmp_path / "runs" / "empty" / "results.json").unlink()
    with pytest.raises(DataError, match="There are results in test, val below it. Name one of these folders."):
        read_evaluation(tmp_path / "runs")


def test_what_as_dict_gave_comes_back(tmp_path):
    score = Score(50.0, 4, 15.0, 85.0, 40.0, "Wilson")
    lines = (Line("A", score, 0.2, "fixed"), Line("A", Score(math.nan, 4, 0.0, 1.0), 0.3, "test-oracle"))
    curve = Curve(np.array([0.0, 0.5]), np.array([1.0, np.nan]), "threshold", "hits (%)")
    result = Result(
        "m", lines, {"comparator": "IoU >="}, {"title": curve}, {3: 12.5, 4: math.nan}, {"B": {3: 25.0}}, {3: 7}
    )
    trial = Trial("a.jpg", 3, (0.0, 0.0, 1.0, 1.0), ((0.0, 0.0, 0.5, 1.0),), 0.5, "hit", True)
    path = tmp_path / "numbers.json"
    path.write_text(json.dumps({"name": "x", "results": [result.as_dict()], "trials": [trial.as_dict()]}))
    run = read_evaluation(path)
    found = run.results[0]
    assert (run.name, run.trials, run.maps, run.classes) == ("x", [trial], None, ())
    assert found.lines[0] == lines[0]
    assert math.isnan(found.lines[1].score.percent)
    assert found.conventions == result.conventions
    assert found.curves["title"].x.tolist() == [0.0, 0.5]
    assert math.isnan(found.curves["title"].y[1])
    assert found.each_class[3] == 12.5
    assert math.isnan(found.each_class[4])
    assert found.more_each_class == {"B": {3: 25.0}}
    assert found.each_n == {3: 7}
    earlier = {name: value for name, value in result.as_dict().items() if name != "each_n"}
    path.write_text(json.dumps({"name": "x", "results": [earlier]}))
    assert read_evaluation(path).results[0].each_n == {}


def test_a_folder_is_read_and_names_a_run_without_a_name(make, write):
    run = read_evaluation(write("cam_run", make.content(name=None)))
    assert run.name == "cam_run"
    assert read_evaluation(write("named", make.content())).name == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", 'no evaluation: it has no list "results"'),
        ('{"images": [], "annotations": []}', 'no evaluation: it has no list "results"'),
        ('{"results": [3]}', r"results\[0\]"),
        ('{"results": [{"lines": []}]}', r"results\[0\]: 'metric' is missing"),
        (
            '{"results": [{"metric": "m", "lines": [{"name": "A", "n": 3, "low": 1, "high": 2}]}]}',
            "'percent' is missing",
        ),
        ('{"results": [], "images": [4]}', "the head of the file"),
        ('{"results": [], "trials_at": {"iou": "x"}}', "could not convert"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path, text, words):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(DataError, match=words) as error:
        read_evaluation(tmp_path)
    assert str(path) in str(error.value)
    assert "wsolkit evaluate" in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is no JSON"):
        read_evaluation(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box": [0, 0, 1]}, "four numbers each"),
        ({"box": [0, 0, 1, math.nan]}, "four numbers each"),
        ({"truth": []}, "at least one true box"),
        ({"truth": None}, "no trial of an evaluation"),
        ({"iou": 1.5}, r"in \[0, 1\], but is 1.5"),
        ({"iou": None}, r"in \[0, 1\], but is None"),
        ({"outcome": "hmm"}, "should be one of"),
        ({"label": "cat"}, "label a whole number"),
        ({"image_id": 3}, "image_id should be text"),
        ({"colour": 1}, "no trial of an evaluation"),
    ],
)
def test_a_trial_that_is_none_is_refused(make, changes, words):
    trials = [make.trial("a.jpg", "hit", 0.9), {**make.trial("b.jpg", "hit", 0.9), **changes}]
    with pytest.raises(DataError, match=words) as error:
        evaluation_of(make.content(trials=trials), "x/results.json")
    assert "x/results.json is not a whole evaluation: trials[1]: " in str(error.value)


def test_a_curve_of_two_lengths_is_refused(make):
    curve = {"x": [0, 1], "y": [1], "x_label": "a", "y_label": "b"}
    with pytest.raises(DataError, match="curve 'c' has 2 x and 1 y"):
        evaluation_of(make.content(results=[make.result(curves={"c": curve})]), "x")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match="nowhere cannot be opened: No such file"):
        read_evaluation(tmp_path / "nowhere")
    with pytest.raises(DataError, match="has no results.json. wsolkit evaluate"):
        read_evaluation(tmp_path)
    (tmp_path / "test_results.json").write_text("{}")
    with pytest.raises(DataError, match="Name one of its files instead: test_results.json."):
        read_evaluation(tmp_path)
