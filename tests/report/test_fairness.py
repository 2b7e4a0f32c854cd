"""What a fair table has to say of runs that were trained otherwise."""

from dataclasses import replace

from wsolkit.report.comparison import compare_runs
from wsolkit.report.comparison_page import markdown
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import as_dict, evaluation_of
from wsolkit.report.fairness import training_warnings

LABELS = Evaluation("CAM", training={"seed": 1, "boxes": "none"}, number_format="fp32")
BOXES = Evaluation("PSOL", training={"seed": 2, "boxes": "dataset.json"}, number_format="fp32")
FOREIGN = Evaluation("maps")


def test_a_run_with_boxes_is_named_beside_runs_of_labels_alone():
    assert training_warnings([LABELS, BOXES, FOREIGN]) == [
        "training: PSOL was trained with boxes (dataset.json), CAM with image labels alone, maps without saying with "
        "what. It is no weakly supervised run unless these boxes were found without people"
    ]
    assert training_warnings([LABELS, FOREIGN]) == []
    assert training_warnings([BOXES, replace(BOXES, name="again")]) == []


def test_number_formats_that_differ_are_named():
    assert training_warnings([LABELS, replace(LABELS, name="fast", number_format="bf16 autocast"), FOREIGN]) == [
        'number format: "fp32" (CAM), "bf16 autocast" (fast)'
    ]


def test_the_file_the_table_and_the_page_keep_it():
    again = [evaluation_of(as_dict(run), "runs/results.json") for run in (LABELS, BOXES)]
    assert [(run.training, run.number_format) for run in again] == [
        (LABELS.training, "fp32"),
        (BOXES.training, "fp32"),
    ]
    comparison = compare_runs(again)
    assert "PSOL was trained with boxes" in comparison.warnings[0]
    assert "PSOL was trained with boxes" in comparison.as_dict()["warnings"][0]
    assert "PSOL was trained with boxes" in markdown(comparison)
