"""Optuna draws the next trial from those before, which are known from their folders alone."""

import math
import shutil
import sys
import time

import numpy as np
import pytest

from tests.support import tiny_benchmark
from tests.support.tiny_benchmark import benchmark
from wsolkit.benchmark.benchmark_file import search_of
from wsolkit.benchmark.jobs import Setting
from wsolkit.benchmark.optuna_draws import next_values
from wsolkit.benchmark.search import chosen_options, run_trials, trial_records, undrawn
from wsolkit.benchmark.trials import trials_of, value_of
from wsolkit.cli.main import main
from wsolkit.errors import ConfigError
from wsolkit.plugins.search_ranges import ranges_of, share_of

LR = "optim_wrapper.optimizer.lr"
SEARCH = {"sampler": "optuna", "trials": 4, "metric": "PxAP", "ranges": {LR: "log 1e-3 1"}}
RANGES = ranges_of({"lr": "log 1e-5 1", "k": "integer 1 9", "drop": "uniform 0 1", "size": [[14, 28], "whole"]}, "x")


@pytest.fixture
def early(monkeypatch):
    """A search of which Optuna draws the third trial already."""
    pytest.importorskip("optuna")
    monkeypatch.setattr("wsolkit.benchmark.benchmark_file.STARTUP", 2)
    monkeypatch.setattr("wsolkit.benchmark.optuna_draws.STARTUP", 2)


def drawn(score, trials):
    """Return a search of so many trials: ten random ones, then Optuna's."""
    history = []
    for trial in range(trials):
        random = {name: each.value(share_of(0, trial, name)) for name, each in RANGES.items()}
        values = random if trial < 10 else next_values(RANGES, history, 0)
        history.append((values, score(values)))
    return history


def test_draws_go_where_it_was_good():
    pytest.importorskip("optuna")

    def score(values):
        near = abs(math.log10(values["lr"]) + 2)  # best at 0.01
        return None if values["size"] == "whole" else math.nan if values["k"] == 9 else -near

    history = drawn(score, 40)
    for values, _ in history:
        assert all(each.holds(values[name]) for name, each in RANGES.items())
    far = [abs(math.log10(values["lr"]) + 2) for values, _ in history]
    assert np.median(far[25:]) < np.median(far[:10]) / 2
    assert sum(values["size"] == "whole" for values, _ in history[25:]) <= 3  # which always failed
    assert drawn(score, 14) == history[:14]
    assert next_values(RANGES, history[:12], 1) != next_values(RANGES, history[:12], 0)


def test_a_range_knows_what_it_holds():
    held = {"lr": [1e-5, 1.0], "k": [1, 9], "drop": [0.5], "size": [(14, 28), [14, 28], "whole"]}
    strange = {"lr": [1e-6, 2, "x", True, None], "k": [0, 10], "drop": [-0.1], "size": [14, [14], None]}
    for name, each in RANGES.items():
        assert [each.holds(value) for value in held[name]] == [True] * len(held[name])
        assert [each.holds(value) for value in strange[name]] == [False] * len(strange[name])


def test_a_search_grows_and_goes_on_from_the_trials_on_disk(config, tmp_path, early):
    out, began, rounds = tmp_path / "out", time.time(), []
    asked = benchmark(config, {"mine": config}, search=SEARCH)
    first = trials_of(asked, Setting(out), since=began)
    assert undrawn(asked, first) == 2

    def run(new):
        rounds.append([job.scoring.folder.name[: -len("_12345678")] for job in new])
        tiny_benchmark.run(new)

    trials = run_trials(asked, Setting(out), first, began, run)
    assert rounds == [["mine_s0_t01", "mine_s0_t02"], ["mine_s0_tpe03"], ["mine_s0_tpe04"]]
    assert undrawn(asked, trials) == 0
    rates = [job.scoring.facts["options"][LR] for job in trials]
    scores = [value_of(job, "PxAP") for job in trials]
    ranges, history = asked.search.ranges, [({LR: rate}, score) for rate, score in zip(rates, scores, strict=True)]
    assert rates[3] == next_values(ranges, history[:3], 0)[LR]
    records = trial_records(trials, asked.search)
    assert [each["sampler"] for each in records] == ["random", "random", "optuna", "optuna"]
    assert [each["value"] for each in records] == scores
    assert chosen_options(trials, "PxAP")["mine", "", ""] == {LR: rates[scores.index(max(scores))]}

    def folders(**more):
        return [job.scoring.folder for job in trials_of(more.pop("asked", asked), Setting(out), **more)]

    done = [job.scoring.folder for job in trials]
    assert folders(since=time.time()) == done  # another process, later
    shutil.rmtree(done[3])
    assert folders() == done  # the same draw again
    shutil.rmtree(done[0])
    assert folders() == done[:3]  # the third is kept; the fourth has to wait for the first
    narrow = {**SEARCH, "ranges": {LR: f"log {rates[2] * 1.01} {rates[2] * 1.02}"}}
    assert done[2] not in folders(asked=benchmark(config, {"mine": config}, search=narrow))


def test_what_failed_has_ended_in_the_run_that_saw_it_fail(config, tmp_path, early):
    broken = {**SEARCH, "ranges": {LR: [1e38]}, "trials": 3}
    asked, setting = benchmark(config, {"mine": config}, search=broken), Setting(tmp_path / "out")
    trials = run_trials(asked, setting, trials_of(asked, setting), time.time(), tiny_benchmark.run)
    assert [each["value"] for each in trial_records(trials, asked.search)] == [None] * 3
    assert len(trials_of(asked, setting, since=time.time())) == 2  # a run that begins now tries them again first
    with pytest.raises(ConfigError, match="No trial of mine has come to its end .*trial 1: training .*The loss became"):
        chosen_options(trials, "PxAP")


def test_two_processes_draw_the_same_trials(config, tmp_path, processes):
    pytest.importorskip("optuna")
    out = tmp_path / "out"
    both = [
        processes.Process(target=tiny_benchmark.search_in_process, args=(config, out, SEARCH | {"trials": 3}))
        for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    names = sorted(path.name[: -len("_12345678")] for path in (out / "trials").iterdir())
    assert names == ["mine_s0_t01", "mine_s0_t02", "mine_s0_tpe03"]


def test_mistakes_are_told(config, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="search.sampler should be one of 'random', 'optuna', but got 'tpe'"):
        search_of({"sampler": "tpe"}, "search")
    with pytest.raises(ConfigError, match="first 10 trials are drawn at random, but search.trials is 10. Give it more"):
        search_of({"sampler": "optuna", "trials": 10}, "search")
    monkeypatch.setitem(sys.modules, "optuna", None)
    asked = benchmark(config, {"mine": config}, search={"sampler": "optuna"})
    with pytest.raises(ConfigError, match=r"needs Optuna, which cannot be imported .*: pip install optuna"):
        trials_of(asked, Setting(tmp_path))


def test_the_command_says_what_is_still_to_be_drawn(config, tmp_path, capsys):
    pytest.importorskip("optuna")
    (tmp_path / "table.py").write_text(f'methods = {{"CAM": {config!r}}}\nsearch = dict(sampler="optuna", trials=12)\n')
    command = ["benchmark", str(tmp_path / "table.py"), "--out", str(tmp_path / "out"), "--search"]
    assert main([*command, "--dry-run"]) == 0
    assert "2 more trials are drawn by optuna from what becomes of those." in capsys.readouterr().out
    assert main([*command, "--job", "1/2"]) == 2
    assert "sampler='optuna' draws them one after the other. Start the processes without" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
