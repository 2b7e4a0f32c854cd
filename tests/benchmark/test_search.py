"""A search tries every method at the same settings; the validation split chooses; every trial is kept."""

import json

import numpy as np
import pytest

from tests.support.tiny_benchmark import FLIPPED, benchmark, plan, run
from wsolkit.benchmark.jobs import Setting
from wsolkit.benchmark.search import chosen_options, trial_records
from wsolkit.benchmark.trials import number_in, trials_of
from wsolkit.errors import ConfigError, PluginError
from wsolkit.evaluation.results import ORACLE, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.plugins.methods import Method
from wsolkit.plugins.search_ranges import SearchRange, options_in, share_of
from wsolkit.report import Evaluation, read_evaluation

LR = "optim_wrapper.optimizer.lr"


def test_values_lie_where_the_range_says():
    shares = [share_of(0, trial, LR) for trial in range(2000)]
    logs = np.log10([SearchRange("log", 1e-5, 1.0).value(share) for share in shares])
    assert (logs >= -5).all()
    assert (logs <= 0).all()
    assert np.histogram(logs, 5, (-5, 0))[0] == pytest.approx(400, abs=60)
    counts = np.bincount([SearchRange("integer", 1, 4).value(share) for share in shares])
    assert counts[0] == 0
    assert counts[1:] == pytest.approx(500, abs=70)
    assert SearchRange("uniform", -1.0, 1.0).value(0.75) == 0.5
    assert SearchRange("choice", choices=("a", "b", "c")).value(0.99) == "c"


def test_a_draw_depends_on_seed_trial_and_option_alone():
    assert share_of(0, 1, LR) == share_of(0, 1, LR)
    assert len({share_of(0, 1, LR), share_of(1, 1, LR), share_of(0, 2, LR), share_of(0, 1, "other")}) == 4


@pytest.mark.parametrize(
    "given", ["log 0 1", "log 1", "uniform 2 1", "integer 1 2.5", "around 1 2", [], 3, "log 1 inf"]
)
def test_what_is_no_range_is_refused(given):
    with pytest.raises(ConfigError, match="lr is searched in 'log 1e-5 1', 'uniform 0 1', 'integer 1 9' or a list of"):
        SearchRange.of(given, "lr")


def test_a_card_has_ranges(tmp_path):
    facts = "name: X\ntitle: T\nauthors: A\nvenue: V\nyear: 2020\nsummary: S\n"
    card = tmp_path / "card.md"
    card.write_text(f"---\n{facts}search:\n  {LR}: log 1e-5 1\n  model.modifiers.0.rate: uniform 0 1\n---\n")
    assert Method.from_card(card).search == {
        LR: SearchRange("log", 1e-5, 1.0),
        "model.modifiers.0.rate": SearchRange("uniform", 0.0, 1.0),
    }
    card.write_text(f"---\n{facts}search:\n  {LR}: 3\n---\n")
    with pytest.raises(PluginError, match=r"The card .*card.md: search\['optim_wrapper.optimizer.lr'\] is searched in"):
        Method.from_card(card)


def test_a_range_in_braces_is_of_the_options_it_names(config, tmp_path):
    asked = {"trials": 1, "metric": "PxAP", "ranges": {LR: "log 1e-3 1"}}
    methods = {"CAM": {"config": config, "search": {"model.losses.{0}.weight": [2.0]}}}
    (trial,) = trials_of(benchmark(config, methods, search=asked), Setting(tmp_path / "out"))
    assert trial.scoring.facts["options"] == {"model.losses.0.weight": 2.0}
    assert options_in("model.modifiers.{0,2}.at") == ["model.modifiers.0.at", "model.modifiers.2.at"]


def test_the_number_that_chooses_is_at_vals_own_threshold():
    lines = (Line("A", Score(50.0, 4, 0, 100), 0.2, "fixed"), Line("A", Score(60.0, 4, 0, 100), 0.3, ORACLE))
    found = Evaluation(results=[Result("m", lines), Result("n", (Line("B", Score(7.0, 4, 0, 9)),))])
    assert (number_in(found, "A"), number_in(found, "B")) == (60.0, 7.0)
    with pytest.raises(ConfigError, match="search.metric is 'C', but val has no such number. Known names: 'A', 'B'"):
        number_in(found, "C")


def test_a_search_tries_chooses_and_keeps(config, tmp_path):
    asked = {"trials": 2, "metric": "PxAP", "seed": 4, "ranges": {LR: "log 1e-3 1"}}
    methods = {"mine": config, "flipped": {"config": config, "cam_method": FLIPPED, "seeds": [1]}}
    asked_for = benchmark(config, methods, search=asked)
    setting = Setting(tmp_path / "out")
    trials = trials_of(asked_for, setting)
    assert [job.title for job in trials] == [
        f"{method}, MicroBackbone, seed 4, trial {trial}" for trial in (1, 2) for method in ("mine", "flipped")
    ]
    rates = [job.scoring.facts["options"][LR] for job in trials]
    assert rates[0] == rates[1] == float(f"{10 ** (-3 + 3 * share_of(4, 0, LR)):.4g}")
    assert rates[2] != rates[0]
    with pytest.raises(
        ConfigError, match=r"No trial of mine has come to its end \(mine, .*trial 1: it is not done yet\)"
    ):
        chosen_options(trials, "PxAP")
    said = []
    run(trials, said)
    assert sum("training ..." in line for line in said) == 2  # both methods test the same networks
    assert all(read_evaluation(job.scoring.folder).split == "val" for job in trials)
    records = json.loads(json.dumps(trial_records(trials, asked_for.search)))
    values = [record["value"] for record in records]
    best = chosen_options(trials, "PxAP")
    for number, method in enumerate(("mine", "flipped")):
        winner = number if values[number] >= values[number + 2] else number + 2
        assert best[method, "", ""] == {LR: rates[winner]}
    assert [(record["trial"], record["options"][LR]) for record in records] == list(
        zip((0, 0, 1, 1), rates, strict=True)
    )
    jobs = plan(config, tmp_path / "out", methods, found=best)
    assert [job.scoring.facts["options"] for job in jobs] == [best["mine", "", ""], best["flipped", "", ""]]
    assert [job.seed for job in jobs] == [0, 1]
    assert run(trials, said).done == trials
    assert sum("training ..." in line for line in said) == 2
