"""What an evaluation says of itself: names of classes, what its trials were judged by, and its numbers by name."""

from wsolkit.evaluation.results import ORACLE, OWN
from wsolkit.report.evaluation import Evaluation, numbers_of
from wsolkit.report.evaluation_file import evaluation_of


def test_names_of_classes_and_of_what_trials_were_judged_by(make):
    found = evaluation_of(make.content(), "x")
    assert [found.class_name(label) for label in (1, 7, -1)] == ["dog", "class 7", "no class"]
    assert found.trials_words == "MaxBoxAcc, threshold 0.200 (chosen on val), a hit is IoU >= 0.5"
    own = Evaluation(trials_at={"metric": "localization", "threshold": None, "selection": OWN, "iou": 0.5})
    assert own.trials_words == "localization, threshold chosen for each map, a hit is IoU >= 0.5"
    assert Evaluation(trials_at={"threshold": 0.2}).trials_words == "threshold 0.200 (not said how chosen)"
    assert Evaluation().trials_words == ""


def test_honest_and_oracle_are_paired_in_any_order(make):
    lines = [make.line("A", 80.0, 0.4, "test-oracle"), make.line("B", 1.0), make.line("A", 70.0, 0.2, "fixed")]
    run = evaluation_of(make.content(results=[make.result(lines=lines)]), "x")
    numbers = numbers_of(run.results[0])
    assert [(each.name, each.gap) for each in numbers] == [("A", 10.0), ("B", None)]
    assert numbers[0].honest.score.percent == 70
    assert numbers[1].oracle is None


def test_honest_numbers_are_by_name_and_each_stands_once(make):
    results = [
        make.result(
            "localization", [make.line("GT-known", 50.0, 0.2, "fixed"), make.line("GT-known", 60.0, 0.1, ORACLE)]
        ),
        make.result("other", [make.line("GT-known", 40.0), make.line("Only oracle", 9.0, 0.1, ORACLE)]),
    ]
    found = evaluation_of(make.content(results=results), "x")
    assert found.honest_numbers() == {"GT-known": 50.0, "other: GT-known": 40.0}
