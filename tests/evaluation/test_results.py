"""A result says what it is in text and in JSON."""

import json

import numpy as np
import pytest

from wsolkit import ConfigError
from wsolkit.evaluation.results import FIXED, ORACLE, VAL, Curve, Line, Result, plain
from wsolkit.evaluation.scores import BOOTSTRAP, Score

NAN = float("nan")
CONVENTIONS = {"comparator": "IoU >=", "averaging": "micro", "n": "images"}
RESULT = Result(
    "MaxBoxAcc",
    (
        Line("Acc@50", Score(62.5, 8, 30.571, 86.319, macro=50.0), 0.2, VAL),
        Line("Acc@50", Score(75.0, 8, 40.9, 92.8), 0.35, ORACLE),
        Line("Mean", Score(NAN, 8, NAN, NAN, NAN, BOOTSTRAP), None, FIXED),
        Line("top-1", Score(12.5, 8, 2.2, 47.1)),
    ),
    CONVENTIONS,
    {"hits": Curve(np.array([0.0, 0.5], np.float32), np.array([NAN, 100.0]), "threshold", "hits (%)")},
    {3: 50.0, 7: NAN},
    {"Mean": {7: NAN}},
)


def test_the_first_number_of_a_name():
    assert RESULT["Acc@50"].percent == 62.5
    assert RESULT["top-1"].n == 8


def test_a_misspelt_number_is_offered():
    with pytest.raises(ConfigError, match=r"MaxBoxAcc has no number 'Acc@5'. Did you mean 'Acc@50'\?"):
        RESULT["Acc@5"]
    with pytest.raises(ConfigError, match="Known names: 'Acc@50', 'Mean', 'top-1'"):
        RESULT["zzzz"]
    with pytest.raises(ConfigError, match="Nothing is known here"):
        Result("Nothing", ())["top-1"]


def test_text_names_every_convention_and_how_each_number_was_made():
    head, *rows = str(RESULT).splitlines()
    assert head == "MaxBoxAcc (comparator: IoU >=; averaging: micro; n: images)"
    assert [row.strip() for row in rows] == [
        "Acc@50: 62.50, macro 50.00, 95 % interval 30.57 to 86.32 (Wilson), n 8, threshold 0.200 chosen on val",
        "Acc@50: 75.00, 95 % interval 40.90 to 92.80 (Wilson), n 8, threshold 0.350 test-oracle",
        "Mean: nan, macro nan, 95 % interval nan to nan (bootstrap over images), n 8, thresholds fixed",
        "top-1: 12.50, 95 % interval 2.20 to 47.10 (Wilson), n 8",
    ]


def test_json_without_nan():
    text = json.dumps(RESULT.as_dict(), allow_nan=False)
    content = json.loads(text)
    assert content["metric"] == "MaxBoxAcc"
    assert content["conventions"] == CONVENTIONS
    assert content["each_class"] == {"3": 50.0, "7": None}
    assert content["more_each_class"] == {"Mean": {"7": None}}
    assert content["curves"] == {
        "hits": {"x": [0.0, 0.5], "y": [None, 100.0], "x_label": "threshold", "y_label": "hits (%)"}
    }
    assert content["lines"][0] == {
        "name": "Acc@50",
        "percent": 62.5,
        "macro": 50.0,
        "low": 30.571,
        "high": 86.319,
        "interval": "Wilson",
        "n": 8,
        "threshold": 0.2,
        "selection": "chosen on val",
    }
    third = content["lines"][2]
    assert [third[name] for name in ("percent", "macro", "low", "high", "threshold")] == [None] * 5
    assert (third["interval"], third["selection"]) == ("bootstrap over images", "fixed")
    assert [line["name"] for line in content["lines"]] == ["Acc@50", "Acc@50", "Mean", "top-1"]


def test_numbers_for_json():
    assert [plain(value) for value in (None, NAN, float("inf"), -float("inf"))] == [None] * 4
    assert type(plain(np.float64(1.5))) is float
    assert plain(0) == 0.0
