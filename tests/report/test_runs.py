"""Reading runs: everything comes back, and what is no run is refused with words."""

import json
import math

import numpy as np
import pytest

from wsolkit import DataError
from wsolkit.evaluation.failures import Trial
from wsolkit.evaluation.results import Curve, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.report.runs import numbers_of, read_run, run_of


def test_what_as_dict_gave_comes_back(tmp_path):
    score = Score(50.0, 4, 15.0, 85.0, 40.0, "Wilson")
    lines = (Line("A", score, 0.2, "fixed"), Line("A", Score(math.nan, 4, 0.0, 1.0), 0.3, "test-oracle"))
    curve = Curve(np.array([0.0, 0.5]), np.array([1.0, np.nan]), "threshold", "hits (%)")
    result = Result("m", lines, {"comparator": "IoU >="}, {"title": curve}, {3: 12.5, 4: math.nan}, {"B": {3: 25.0}})
    trial = Trial("a.jpg", 3, (0.0, 0.0, 1.0, 1.0), ((0.0, 0.0, 0.5, 1.0),), 0.5, "hit", True)
    path = tmp_path / "numbers.json"
    path.write_text(json.dumps({"name": "x", "results": [result.as_dict()], "trials": [trial.as_dict()]}))
    run = read_run(path)
    found = run.results[0]
    assert (run.name, run.trials, run.maps, run.classes) == ("x", (trial,), None, ())
    assert found.lines[0] == lines[0]
    assert math.isnan(found.lines[1].score.percent)
    assert found.conventions == result.conventions
    assert found.curves["title"].x.tolist() == [0.0, 0.5]
    assert math.isnan(found.curves["title"].y[1])
    assert found.each_class[3] == 12.5
    assert math.isnan(found.each_class[4])
    assert found.more_each_class == {"B": {3: 25.0}}


def test_a_folder_is_read_and_names_a_run_without_a_name(make, write):
    run = read_run(write("cam_run", make.content(name=None)))
    assert run.name == "cam_run"
    assert run.class_name(1) == "dog"
    assert run.class_name(7) == "class 7"
    assert run.class_name(-1) == "no class"
    assert run.trials_words == "MaxBoxAcc, threshold 0.200 (chosen on val), a hit is IoU >= 0.5"


def test_honest_and_oracle_are_paired_in_any_order(make):
    lines = [make.line("A", 80.0, 0.4, "test-oracle"), make.line("B", 1.0), make.line("A", 70.0, 0.2, "fixed")]
    run = run_of(make.content(results=[make.result(lines=lines)]), "x")
    numbers = numbers_of(run.results[0])
    assert [(each.name, each.gap) for each in numbers] == [("A", 10.0), ("B", None)]
    assert numbers[0].honest.score.percent == 70
    assert numbers[1].oracle is None


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
        read_run(tmp_path)
    assert str(path) in str(error.value)
    assert "wsolkit evaluate" in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is no JSON"):
        read_run(path)


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
        run_of(make.content(trials=trials), "x/results.json")
    assert "x/results.json is not a whole evaluation: trials[1]: " in str(error.value)


def test_a_curve_of_two_lengths_is_refused(make):
    curve = {"x": [0, 1], "y": [1], "x_label": "a", "y_label": "b"}
    with pytest.raises(DataError, match="curve 'c' has 2 x and 1 y"):
        run_of(make.content(results=[make.result(curves={"c": curve})]), "x")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match="nowhere cannot be opened: No such file"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(DataError, match="has no results.json. wsolkit evaluate"):
        read_run(tmp_path)
    (tmp_path / "test_results.json").write_text("{}")
    with pytest.raises(DataError, match="Name one of its files instead: test_results.json."):
        read_run(tmp_path)
