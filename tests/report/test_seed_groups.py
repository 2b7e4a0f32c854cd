"""Runs that differ in nothing but their seed are one method: grouped, averaged, tested as such."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from wsolkit.cli.main import main
from wsolkit.evaluation.over_seeds import difference_over_seeds, mean_of_scores, mean_over_seeds
from wsolkit.report import read_jobs, table_of, write_benchmark
from wsolkit.report.comparison import compare_runs
from wsolkit.report.evaluation_file import evaluation_of
from wsolkit.report.seed_groups import group_runs, merged

HITS = {("cam", 0): "hhppphph", ("cam", 1): "hppppphh", ("mine", 0): "hhhhhpph", ("mine", 1): "hhhhhhph",
        ("mine", 2): "hhhhppph"}  # fmt: skip


def content(make, method, seed, letters, **changes):
    """Return what results.json of a run holds, of a training that says its configuration."""
    names = {"h": ("hit", 0.8), "p": ("part", 0.3)}
    trials = [make.trial(f"{place}.jpg", *names[letter]) for place, letter in enumerate(letters)]
    percent = 100 * letters.count("h") / len(letters)
    lines = [make.line("GT-known", percent, 0.2 + seed / 10, "chosen on val"), make.line("top-1 loc", percent / 2)]
    training = {"seed": seed, "boxes": "none", "configuration": method, "configuration_hash": f"{method}1"}
    return make.content(
        f"{method}_{seed}", trials=trials, results=[make.result("localization", lines)], training=training,
        checkpoint=f"runs/{method}_{seed}/last.pth", settings={"checkpoint": f"{method}_{seed}", "split": "test"},
        **changes,
    )  # fmt: skip


@pytest.fixture
def runs(make):
    """Return five runs: two seeds of one method and three of another."""
    return [evaluation_of(content(make, *key, letters), f"{key[0]}_{key[1]}/x.json") for key, letters in HITS.items()]


def matrix(method):
    """Return the hits (S, I) of a method's seeds."""
    return np.array([[letter == "h" for letter in row] for (name, _), row in HITS.items() if name == method], int)


def grouped(runs):
    """Return the names of the groups and how many runs each has."""
    return [(group.name, len(group.runs)) for group in group_runs(runs)]


def test_runs_that_differ_in_their_seed_alone_are_a_group(runs):
    assert grouped(runs) == [("cam", 2), ("mine", 3)]
    other = replace(runs[1], training={**runs[1].training, "configuration_hash": "else"})
    assert grouped([runs[0], other, *runs[2:]]) == [("cam (cam_0)", 1), ("cam (cam_1)", 1), ("mine", 3)]
    scored = replace(runs[1], settings={"checkpoint": "cam_1", "split": "val"})
    assert grouped([runs[0], scored]) == [("cam (cam_0)", 1), ("cam (cam_1)", 1)]
    tested = [replace(run, scoring_hash=words) for run, words in zip(runs[:2], ("CAM's", "GradCAM's"), strict=True)]
    assert grouped(tested) == [("cam (cam_0)", 1), ("cam (cam_1)", 1)]
    files = [
        replace(run, settings={**run.settings, "config": f"cam_{seed}/config.py"}) for seed, run in enumerate(runs[:2])
    ]
    assert grouped(files) == [("cam (cam_0)", 1), ("cam (cam_1)", 1)]  # nobody knows what these say
    assert grouped([replace(run, scoring_hash="same") for run in files]) == [("cam", 2)]
    assert grouped([runs[0], runs[0]]) == [("cam (cam_0)", 1), ("cam (cam_0)", 1)]  # one seed twice
    silent = [replace(run, training={}) for run in runs]
    assert grouped(silent) == [(run.name, 1) for run in runs]
    called = replace(runs[0], name="My own name")
    assert grouped([called, runs[2]]) == [("My own name", 1), ("mine", 1)]


def test_jobs_of_a_benchmark_are_grouped_by_what_they_are(make, tmp_path):
    found = []
    for method, seed in (("ADL", 0), ("ADL", 1), ("CAM", 0)):
        folder = tmp_path / f"{method}{seed}"
        folder.mkdir()
        (folder / "job.json").write_text(json.dumps({"method": method, "data": "birds50", "seed": seed}))
        found.append(evaluation_of(make.content(f"{method}{seed}"), folder / "results.json"))
    assert grouped(found) == [("ADL", 2), ("CAM", 1)]
    for seed, words in enumerate(("ab", "cd")):
        changed = {"method": "ADL", "data": "birds50", "seed": seed, "settings_hash": words}
        (tmp_path / f"ADL{seed}" / "job.json").write_text(json.dumps(changed))
        assert grouped(found)[0] == [("ADL", 2), ("ADL (ADL0)", 1)][seed]  # one that says none goes with the other
    (tmp_path / "CAM0" / "job.json").write_text("{")
    assert grouped(found)[2] == ("CAM0", 1)


def test_a_method_is_the_mean_of_its_seeds(runs):
    group = group_runs(runs)[1]
    (result,) = merged(group).results
    known = mean_over_seeds(matrix("mine"))
    line = result.lines[0]
    assert (line.score.percent, line.score.low, line.score.high) == pytest.approx((known.mean, known.low, known.high))
    assert line.spread == (known.lowest, known.highest)
    assert (line.threshold, line.selection) == (None, "chosen on val")
    half = mean_of_scores([run.results[0].lines[1].score for run in group.runs])
    assert (result.lines[1].score.low, result.lines[1].score.high) == (half.low, half.high)
    curve = result.curves["hits over threshold"]
    assert curve.y[:3].tolist() == [25, 50, 75]
    assert merged(group_runs(runs[:1])[0]).results == runs[0].results


def test_methods_are_tested_over_seeds_and_images(runs):
    groups = group_runs(runs)
    found = compare_runs([merged(group) for group in groups], None, [group.runs for group in groups])
    (pair,) = found.pairs
    one, two = matrix("cam"), matrix("mine")[:2]  # the seeds that both have
    known = difference_over_seeds(one, two)
    assert (pair.paired.difference, pair.paired.low, pair.paired.high, pair.paired.p) == pytest.approx(
        (known.difference, known.low, known.high, known.p)
    )
    each = [[(a & ~b & 1).sum() for b in two] for a in one]
    assert pair.paired.only_first == pytest.approx(np.mean(each))
    assert pair.paired.n == 8
    assert found.as_dict()["runs"][0]["seeds"][1]["seed"] == 1
    different = [replace(groups[0].runs[0], split="val"), groups[0].runs[1]]
    warned = compare_runs([merged(group) for group in groups], None, [different, groups[1].runs]).warnings
    assert any(words.startswith("cam, between its seeds: split:") for words in warned)


@pytest.fixture
def folders(make, tmp_path, monkeypatch):
    """Write the five runs and return their folders."""
    monkeypatch.setenv("COLUMNS", "140")
    found = []
    for (method, seed), letters in HITS.items():
        folder = tmp_path / f"{method}_{seed}"
        folder.mkdir()
        (folder / "results.json").write_text(json.dumps(content(make, method, seed, letters)))
        found.append(str(folder))
    return found


def test_compare_groups_by_itself(folders, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["compare", *folders, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "cam: 2 seeds (cam_0, cam_1)" in printed
    assert "(37.5 - 50.0)" in printed
    row = next(line for line in printed.splitlines() if line.startswith("│ mine"))
    assert [cell.strip() for cell in row.strip("│").split("│")][:2] == ["mine", "8"]
    numbers = json.loads((out / "compare.json").read_text())
    assert [each["name"] for each in numbers["runs"]] == ["cam", "mine"]
    first = numbers["numbers"][0]["runs"][0]
    assert (first["lowest"], first["highest"], first["percent"]) == (37.5, 50.0, 43.75)
    table = (out / "table.md").read_text()
    assert table.startswith("| | cam | mine |")
    assert r"| localization: GT-known | 43.8 (37.5-50.0) \[" in table
    assert "| p (sign-flip) |" in table
    assert r"- mine: 3 seeds (mine\_0, mine\_1, mine\_2)" in table
    page = (out / "compare.html").read_text("utf-8")
    assert "<li>mine: 3 seeds (mine_0, mine_1, mine_2)</li>" in page
    assert "(37.5-50.0)" in page
    assert main(["compare", *folders[::-1], "--by-run", "--out", str(out)]) == 0  # the same files: no other comparison
    assert json.loads((out / "compare.json").read_text())["runs"][0]["name"] == "mine_2"
    assert "p (McNemar)" in (out / "table.md").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--names", "a", "b", "c", "d", "e"], "they are 2 methods of one or more seeds. Give a name for each method"),
        (
            ["--out", "x", "--masks", *"abcde"],
            "--masks are those of single runs, but some runs are seeds of one method",
        ),
        (["--names", "a"], "--names should have a name for each of the 2 runs, but got 1."),
    ],
)
def test_what_does_not_go_with_groups_is_said(folders, capsys, options, words):
    assert main(["compare", *folders, *options]) == 2
    assert words in capsys.readouterr().err


def test_names_are_those_of_methods(folders, capsys):
    assert main(["compare", *folders, "--names", "CAM", "Mine"]) == 0
    assert "Mine: 3 seeds" in capsys.readouterr().out
    assert main(["compare", *folders, "--by-run", "--names", *"abcde"]) == 0


def test_seeds_of_one_method_alone_are_no_comparison(folders, capsys):
    assert main(["compare", *folders[2:]]) == 2
    assert "The 3 runs are seeds of one method, mine. Add --by-run" in capsys.readouterr().err


def test_a_benchmark_is_printed_again(make, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for (method, seed), letters in HITS.items():
        folder = tmp_path / "bench" / "jobs" / f"{method}-{seed}"
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(json.dumps({"method": method, "data": "birds50", "seed": seed}))
        if (method, seed) != ("mine", 2):
            (folder / "results.json").write_text(json.dumps(content(make, method, seed, letters)))
    done, missing = read_jobs(tmp_path / "bench")
    write_benchmark(table_of(done, "cam", missing), tmp_path / "bench")
    earlier = tmp_path / "bench" / "jobs" / "of earlier settings"
    shutil.copytree(tmp_path / "bench" / "jobs" / "cam-0", earlier)
    before = sorted(tmp_path.rglob("*"))
    assert main(["compare", str(tmp_path / "bench")]) == 0
    printed = capsys.readouterr().out
    assert "birds50: test split, 4 images" in printed
    assert "Against cam, the baseline (43.8 GT-known), of 1 method:" in printed
    assert "mine on birds50: seed 2 has not run" in printed
    assert sorted(tmp_path.rglob("*")) == before
    assert main(["compare", str(tmp_path / "bench"), "--metric", "x"]) == 2
    assert "bench is a benchmark, whose table is printed as it is: --metric does not go" in capsys.readouterr().err
    (tmp_path / "bench" / "table.json").write_text("{")  # then all that lies there is taken
    shutil.rmtree(earlier)
    assert main(["compare", str(tmp_path / "bench")]) == 0
