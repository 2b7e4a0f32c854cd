"""What a benchmark leaves: rows over seeds, tests against the baseline, the blob and boxes, files, sentences."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from wsolkit import ConfigError, DataError
from wsolkit.evaluation.over_seeds import difference_over_seeds, mean_over_seeds
from wsolkit.evaluation.paired import holm
from wsolkit.plugins.methods import Method
from wsolkit.report import JobFacts, print_benchmark, read_jobs, table_of, write_benchmark
from wsolkit.report.benchmark.files import read_again
from wsolkit.report.benchmark.sentences import frontier, sentences_of
from wsolkit.report.benchmark.texts import as_latex, as_markdown, latex
from wsolkit.report.evaluation_file import evaluation_of, read_evaluation, write_evaluation

BLOB = "centred Gaussian blob"
HITS = {
    "CAM": ["hhppppppppppppppppphhhhh", "hppppppppppppppppphhhhhh"],
    "Mine_100%": ["hhhhhhhhhhhhhhhphhhhhhhh", "hhhhhhhhhhhhhhhhphhhhhph"],
    "FSL": ["hhhhhhhhhhhhhhhhhhhhhhhh"],
    "Same": ["hppppppppppppppppphhhhhh"],
}
DRAWN = "111110000000001111111111"
MINUTES = {"CAM": 2.0, "Mine_100%": 5.0, "FSL": 1.0, "Same": 9.0}


def evaluation(make, letters, split="test", drawn=DRAWN, **changes):
    """Return an evaluation whose trials end as the letters say: h hit, p part; every fourth class is wrong."""
    names = {"h": ("hit", 0.8), "p": ("part", 0.3)}
    trials = [
        make.trial(f"i{place:02d}.jpg", *names[letter], right_class=place % 4 != 0)
        for place, letter in enumerate(letters)
    ]
    percent = 100 * letters.count("h") / len(letters)
    both = 100 * sum(letter == "h" and place % 4 != 0 for place, letter in enumerate(letters)) / len(letters)
    lines = [
        make.line("GT-known", percent, 0.2, "chosen on val"),
        make.line("top-1 loc", both, 0.2, "chosen on val"),
        make.line("GT-known", percent + 2, 0.3, "test-oracle"),
    ]
    found = make.result("localization", lines)
    blob = make.result(
        "localization", [make.line("GT-known", 100 * drawn.count("1") / len(drawn), 0.4, "chosen on val")]
    )
    v2 = make.result("MaxBoxAccV2", [make.line("MaxBoxAccV2", percent - 3, None, "chosen on val")])
    content = make.content(
        results=[found, v2], trials=trials, baselines={BLOB: [blob]}, baseline_hits={BLOB: drawn}, split=split,
        trials_at={"metric": "localization", "threshold": 0.2, "selection": "chosen on val", "iou": 0.5},
        images=len(letters), **changes,
    )  # fmt: skip
    return evaluation_of(content, "x/results.json")


def facts(method, seed=0, **changes):
    """Return the facts of a job."""
    known = {"boxes_used": method == "FSL", "train_minutes": MINUTES.get(method), "parameters": 4_700_000}
    return JobFacts(method, "lite0", "birds50", seed, **{**known, **changes})


@pytest.fixture
def jobs(make):
    """Return the finished jobs of four methods."""
    return [
        (facts(method, seed), evaluation(make, letters))
        for method, seeds in HITS.items()
        for seed, letters in enumerate(seeds)
    ]


def matrix(method):
    """Return a method's hits (S, I)."""
    return np.array([[letter == "h" for letter in seed] for seed in HITS[method]], int)


def rows(table):
    """Return the rows of a table with one data set by their names."""
    (part,) = table.parts
    return {row.name: row for row in part.rows}


def test_numbers_are_means_over_seeds_from_the_single_images(jobs):
    found = rows(table_of(jobs, methods=[]))
    assert list(found) == ["CAM", "FSL", "Mine_100%", "Same", BLOB]
    for name in HITS:
        known = mean_over_seeds(matrix(name))
        assert found[name].cells["GT-known"] == known
        right = np.arange(24) % 4 != 0
        assert found[name].cells["top-1 loc"] == mean_over_seeds(matrix(name) * right)
        assert found[name].gap == pytest.approx(2)
    assert found["CAM"].cells["MaxBoxAccV2"].mean == pytest.approx(found["CAM"].cells["GT-known"].mean - 3)
    assert found[BLOB].cells["GT-known"].mean == pytest.approx(100 * 15 / 24)
    assert (found["FSL"].boxes, found["CAM"].boxes, found[BLOB].trivial) == (True, False, True)
    assert [found["CAM"].seeds, found["FSL"].seeds] == [2, 1]


def test_rows_are_tested_on_their_images_and_corrected_together(jobs):
    found = rows(table_of(jobs, methods=[]))
    tested = ["FSL", "Mine_100%", "Same", BLOB]
    known = [difference_over_seeds(matrix("CAM")[: len(HITS[name])], matrix(name)) for name in tested[:3]]
    known.append(difference_over_seeds(matrix("CAM"), np.array([[int(letter) for letter in DRAWN]])))
    for name, each, p in zip(tested, known, holm([each.p for each in known]), strict=True):
        against = found[name].against["baseline"]
        assert (against.name, against.found, against.p_holm) == ("CAM", each, p)
    assert "baseline" not in found["CAM"].against
    assert found["CAM"].against["blob"].found.difference == pytest.approx(100 * (7 - 15) / 24, abs=1e-9)
    assert found["Mine_100%"].against["boxes"].name == "FSL"
    assert found["Mine_100%"].against["baseline"].better
    assert not found["Same"].against["baseline"].better


def test_a_row_is_compared_on_the_seeds_that_both_have(make):
    # Seed 0 of the baseline is its better one: a row that is equal to it, image by image, does not beat it.
    letters = {0: "h" * 14 + "p" * 10, 1: "h" * 4 + "p" * 20}
    jobs = [(facts("CAM", seed), evaluation(make, each)) for seed, each in letters.items()]
    jobs += [(facts("Lucky"), evaluation(make, letters[0])), (facts("Other", 2), evaluation(make, letters[0]))]
    table = table_of(jobs, methods=[])
    found = {name: row.against.get("baseline") for name, row in rows(table).items()}
    assert (found["Lucky"].found.difference, found["Lucky"].found.p, found["Lucky"].seeds) == (0, 1, 1)
    each = [np.array([[letter == "h" for letter in letters[seed]] for seed in seeds]) for seeds in ((0, 1), (0,))]
    assert (found["Other"].found, found["Other"].seeds) == (difference_over_seeds(*each), None)
    assert (found[BLOB].found.difference, found[BLOB].seeds) == (pytest.approx(100 * (15 - 9) / 24), None)
    assert "Lucky +0.0 [+0.0, +0.0], p 1, 1 seed" in " ".join(each.text for each in sentences_of(table))


def test_a_number_that_is_known_for_whole_seeds_is_compared_on_the_same(make):
    jobs = []
    for name, seed, value in (("CAM", 0, 60.0), ("CAM", 1, 40.0), ("Mine", 0, 61.0)):
        content = make.content(results=[make.result("PxAP", [make.line("PxAP", value)])], trials=[])
        jobs.append((facts(name, seed), evaluation_of(content, "x")))
    against = rows(table_of(jobs, methods=[]))["Mine"].against["baseline"]
    assert (against.found.difference, against.found.paired, against.seeds) == (1.0, False, 1)


def test_a_table_without_trials_is_compared_by_its_intervals(make, jobs):
    without = []
    for name, value in (("CAM", 40.0), ("Mine", 50.0)):
        content = make.content(results=[make.result("PxAP", [make.line("PxAP", value)])], trials=[])
        without.append((facts(name), evaluation_of(content, "x")))
    found = rows(table_of(without, methods=[]))["Mine"].against["baseline"].found
    half = math.sqrt(2) * 5
    assert (found.difference, found.paired) == (10.0, False)
    assert (found.low, found.high) == pytest.approx((10 - half, 10 + half))
    assert "~+10.0" in as_markdown(table_of(without, methods=[])).replace("\\", "")


def test_single_images_are_compared_only_where_the_first_column_is_the_mean_of_them(make):
    jobs = []
    for name, value in (("CAM", 66.7), ("Mine", 100.0)):
        v2 = make.result("MaxBoxAccV2", [make.line("MaxBoxAccV2", value, None, "chosen on val")])
        trials = [make.trial(f"{place}.jpg", "hit", 0.8) for place in range(3)]  # at IoU .5 both hit all
        blob = make.result("MaxBoxAccV2", [make.line("MaxBoxAccV2", 30.0, None, "chosen on val")])
        content = make.content(results=[v2], trials=trials, baselines={BLOB: [blob]}, baseline_hits={BLOB: "111"})
        jobs.append((facts(name), evaluation_of(content, "x")))
    table = table_of(jobs, methods=[])
    found = rows(table)["Mine"].against["baseline"].found
    assert (found.difference, found.paired) == (pytest.approx(33.3), False)
    assert rows(table)["CAM"].against["blob"].found.difference == pytest.approx(36.7)
    text = as_markdown(table).replace("\\", "")
    assert "~ against CAM: points of MaxBoxAccV2, not compared image by image" in text
    assert "sign-flip" not in text


def test_numbers_of_one_name_from_two_metrics_keep_apart(make):
    numbers = {"mAP": 60.0, "box-mAP": 9.0, "box-mAP-given": 12.0, "theirs": 3.0}
    names = {"mAP": "mAP"}
    results = [make.result(key, [make.line(names.get(key, "BoxMAP@50"), value)]) for key, value in numbers.items()]
    table = table_of([(facts("CAM"), evaluation_of(make.content(results=results, trials=[]), "x"))], methods=[])
    cells = rows(table)["CAM"].cells
    wanted = {"mAP": 60.0, "BoxMAP@50": 9.0, "BoxMAP@50, classes given": 12.0, "theirs: BoxMAP@50": 3.0}
    assert {title: cell.mean for title, cell in cells.items()} == wanted


def test_what_is_missing_is_said(jobs):
    missing = [facts("Mine_100%", 2, error="out of\nmemory"), facts("Late", 0), facts("Late", 1)]
    table = table_of(jobs, missing=missing, methods=[])
    assert table.missing == (
        "Mine_100% on birds50 (lite0): seed 2 failed (out of memory)",
        "Late on birds50 (lite0): seed 0 has not run; seed 1 has not run",
    )
    assert rows(table)["Late"].seeds == 0
    text = as_markdown(table)
    assert "- Late on birds50 (lite0): seed 0 has not run; seed 1 has not run" in text
    assert "| Late |" in text


def test_rows_that_differ_have_names_that_differ(make, jobs):
    more = [
        (facts("CAM", 0, cam="GradCAM"), evaluation(make, HITS["CAM"][0])),
        (facts("Same", 0, options={"model.head.k": 2}), evaluation(make, HITS["CAM"][0])),
        (JobFacts("Same", "vgg16", "birds50", 0), evaluation(make, HITS["CAM"][0])),
    ]
    names = list(rows(table_of([*jobs, *more], methods=[])))
    assert {"CAM", "CAM (GradCAM)", "Same, lite0, k=2", "Same, vgg16"} <= set(names)


def test_other_settings_of_one_name_are_another_row(make, jobs):
    one, two = [(facts("Same", seed, settings_hash=words), evaluation(make, HITS["Same"][0])) for seed, words in
                ((1, "abcdef"), (2, "0123"))]  # fmt: skip
    found = rows(table_of([*jobs, one], methods=[]))  # the first seed is of an earlier version and says none
    assert [facts.seed for facts in found["Same"].jobs] == [0, 1]
    found = rows(table_of([*jobs[:-1], one, two], missing=[facts("Same", 3, settings_hash="0123")], methods=[]))
    assert [each.seed for each in found["Same, lite0, settings abcd"].jobs] == [1]
    assert [each.seed for each in found["Same, lite0, settings 0123"].jobs] == [2]
    assert [each.seed for each in found["Same, lite0, settings 0123"].missing] == [3]
    again = (replace(two[0], seed=1), two[1])  # no second job of one seed: its settings are others
    assert len(rows(table_of([*jobs[:-1], one, again], methods=[]))) == 6


def test_a_budget_and_options_of_its_own_are_marked_everywhere(make, jobs, tmp_path):
    more = {"budget": {"epochs": 50, "iterations": None}, "options": {"optim_wrapper.optimizer.lr": 0.02}}
    table = table_of([*jobs, (facts("Long", **more), evaluation(make, HITS["CAM"][0]))], methods=[])
    said = "* Long: a budget of its own (50 epochs); options chosen by a search (optim_wrapper.optimizer.lr=0.02)."
    paths = {path.name: path.read_text("utf-8") for path in write_benchmark(table, tmp_path)}
    console = Console(width=300, record=True, file=io.StringIO())
    print_benchmark(table, console)
    texts = [paths["table.md"].replace("\\", ""), paths["table.tex"].replace("\\", ""), paths["index.html"]]
    for text in (*texts, console.export_text()):
        assert said in " ".join(text.split())
        assert "Long*" in text
        assert "CAM*" not in text
    line = next(each for each in csv.DictReader(paths["table.csv"].splitlines()) if each["name"] == "Long")
    assert (line["budget"], line["options"]) == ("50 epochs", '{"optim_wrapper.optimizer.lr": 0.02}')


def test_shared_features_are_a_column_of_their_own(make):
    shared = [(facts(name, feature_minutes=minutes), evaluation(make, HITS["CAM"][0]))
              for name, minutes in (("CAM", 3.0), ("Same", 0.0))]  # fmt: skip
    table = table_of(shared, methods=[])
    assert [rows(table)[name].minutes for name in ("CAM", "Same")] == [2.0, 9.0]
    text = as_markdown(table)
    assert "| features |" in text
    assert text.count("3.0 min") == 1
    assert "it fell to who came first, and is in neither training nor scoring" in text


def test_a_table_says_what_its_minutes_were_measured_on(make):
    told = {"train_processor": "EPYC", "train_threads": 2, "processor": "EPYC", "threads": 1}
    makes = [{}, {"device": "cpu, 1 threads of 2 cores"}, told, told, {**told, "device": "H200", "train_threads": 1}]
    measured = [(facts("CAM", seed, **more), evaluation(make, HITS["CAM"][0])) for seed, more in enumerate(makes)]
    said = "training, scoring: wall-clock time, longer where the machine had other work to do"
    assert f"{said}.\n" in as_markdown(table_of(measured[:1], methods=[]))
    text = as_markdown(table_of(measured, methods=[]))
    places = "cpu, 1 threads of 2 cores; EPYC, 2 threads; EPYC, 1 thread; H200 beside EPYC, 1 thread"
    assert f"{said}; measured on {places}." in text


def test_the_baseline_of_another_backbone_is_taken_where_there_is_but_one(make, jobs):
    other = [(JobFacts("Deit", "deit_s", "birds50", 0), evaluation(make, HITS["FSL"][0]))]
    assert rows(table_of([*jobs, *other], methods=[]))["Deit"].against["baseline"].name == "CAM"
    two = [*other, (JobFacts("CAM", "deit_s", "birds50", 0), evaluation(make, HITS["CAM"][0]))]
    assert rows(table_of([*jobs, *two], methods=[]))["Deit"].against["baseline"].name == "CAM, deit_s"


def test_cards_tell_printed_numbers_and_boxes(make):
    method = Method(
        "Mine", "t", "a", "v", 2020, "s.",
        reported={"CUB VGG16 top-1 loc error": 40.0, "CUB x": 1.0, "ILSVRC GT-known": 60.0}, other_names=("mine",),
    )  # fmt: skip
    job = JobFacts("mine", "vgg16", "cub", 0)
    row = rows(table_of([(job, evaluation(make, HITS["CAM"][0]))], methods=[method]))["mine"]
    assert [(each.name, each.value) for each in row.printed] == [("CUB VGG16 top-1 loc error", 40.0), ("CUB x", 1.0)]
    assert row.printed[0].ours == pytest.approx(100 - row.cells["top-1 loc"].mean)
    assert row.printed[1].ours is None
    text = as_markdown(table_of([(job, evaluation(make, HITS["CAM"][0]))], methods=[method]))
    assert f"| mine | CUB VGG16 top-1 loc error | 40 | {row.printed[0].ours:.1f} |" in text


def test_what_makes_the_table_unfair_is_said_once(make, jobs):
    jobs[3] = (jobs[3][0], evaluation(make, HITS["Mine_100%"][1], split="val"))
    jobs[5] = (jobs[5][0], evaluation(make, HITS["Same"][0], split="val"))
    (part,) = table_of(jobs, methods=[]).parts
    assert 'Mine_100%, between its seeds: split: "test" (seed 0), "val" (seed 1)' in part.warnings
    assert part.warnings.count('split: "test" (CAM, FSL, Mine_100%), "val" (Same)') == 1


def test_the_sentences(jobs):
    table = table_of(jobs, methods=[])
    said = {each.kind: each for each in sentences_of(table)}
    assert list(said) == ["baseline", "blob", "boxes", "best", "time"]
    text = said["baseline"].text
    assert text.startswith("Against CAM, the baseline (29.2 GT-known), of 3 methods: 2 beat it: FSL +70.8 [")
    assert "1 cannot be told from it: Same +0.0 [-" in text
    assert [each["name"] for each in said["baseline"].facts["better"]] == ["FSL", "Mine_100%"]
    assert said["blob"].text.startswith(f"Against {BLOB}, a blob that never looks (62.5 GT-known), of 4 methods:")
    assert said["best"].text.startswith("The best from labels alone: GT-known Mine_100% (93.8 [")
    assert "seeds 91.7 to 95.8; with boxes FSL 100.0)" in said["best"].text
    assert said["time"].text == (
        "What time buys, by GT-known (training and scoring): 2.0 min CAM (29.2); 5.0 min Mine_100% (93.8), +64.6 "
        "points for 3.0 min more. More time bought nothing better here."
    )
    assert [row.name for row in frontier(table.parts[0])] == ["CAM", "Mine_100%"]


def test_the_terminal_holds_a_hundred_columns(jobs):
    console = Console(width=100, record=True, file=io.StringIO())
    print_benchmark(table_of(jobs, missing=[facts("Late")], methods=[]), console)
    text = console.export_text()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "FSL +boxes" in text
    assert "Late on birds50 (lite0): seed 0 has not run" in text
    assert text.count("Mine_100%") >= 2


def test_the_files(jobs, tmp_path):
    table = table_of(jobs, missing=[facts("Late")], methods=[])
    paths = {path.name: path for path in write_benchmark(table, tmp_path)}
    assert {"table.md", "table.tex", "table.csv", "table.json"} <= set(paths)
    content = json.loads(paths["table.json"].read_text("utf-8"))
    (part,) = content["parts"]
    by_name = {row["name"]: row for row in part["rows"]}
    cell = rows(table)["CAM"].cells["GT-known"]
    assert by_name["CAM"]["numbers"]["GT-known"]["mean"] == cell.mean
    assert by_name["CAM"]["numbers"]["GT-known"]["by_seed"] == list(cell.by_seed)
    assert by_name["Mine_100%"]["against"]["baseline"]["p"] == rows(table)["Mine_100%"].against["baseline"].found.p
    assert by_name["CAM"]["hits"] == ["".join("01"[hit] for hit in seed) for seed in matrix("CAM").tolist()]
    assert by_name[BLOB]["hits"] == [DRAWN]
    assert part["trials"][0] == ["i00.jpg", 0]
    assert [each["kind"] for each in part["sentences"]] == ["baseline", "blob", "boxes", "best", "time"]
    lines = list(csv.DictReader(paths["table.csv"].read_text("utf-8").splitlines()))
    assert [line["name"] for line in lines] == list(by_name)
    assert float(lines[0]["GT-known"]) == cell.mean
    assert float(lines[2]["p_holm"]) == by_name[lines[2]["name"]]["against"]["baseline"]["p_holm"]
    markdown = paths["table.md"].read_text("utf-8")
    assert r"| Mine\_100% | 2 | **93.8** (91.7-95.8) \[" in markdown
    assert "| FSL +boxes | 1 | 100.0 " in markdown


def test_latex_is_escaped_and_whole(jobs):
    text = as_latex(table_of(jobs, methods=[]))
    assert r"Mine\_100\% & 2 & \textbf{93.8} {\tiny (91.7-95.8)" in text
    for opened, closed in ((r"\begin{table}", r"\end{table}"), (r"\begin{tabular}", r"\end{tabular}"), ("{", "}")):
        unescaped = text.replace(r"\{", "").replace(r"\}", "")
        assert unescaped.count(opened) == unescaped.count(closed) > 0
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()
    columns = text[text.index(r"\begin{tabular}{l") :].split("{l")[1].split("}")[0]
    assert {line.count(" & ") for line in body if line.endswith(r"\\")} == {len(columns)}
    assert latex("a&b_c#d~e^f{g}$\u2265") == r"a\&b\_c\#d\textasciitilde{}e\textasciicircum{}f\{g\}\$?"


def test_mistakes(make, jobs):
    with pytest.raises(ConfigError, match="No job of this benchmark is finished, so there is no table"):
        table_of([], missing=[facts("CAM")])
    with pytest.raises(DataError, match="Two jobs are CAM on birds50 with seed 0. Remove one of their folders"):
        table_of([*jobs, jobs[0]], methods=[])


def test_jobs_are_read_from_their_folders(make, tmp_path):
    for key, content in (("a", {"seed": 0}), ("b", {"seed": 1, "error": "killed"}), ("c", {"seed": 2})):
        folder = tmp_path / "jobs" / key
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(json.dumps({"method": "CAM", "data": "birds50", "cam": None, **content}))
        if key != "c":
            (folder / "results.json").write_text(json.dumps(make.content()))
    done, missing = read_jobs(tmp_path)
    assert [(each.seed, each.folder.name) for each, _ in done] == [(0, "a")]
    assert [(each.seed, each.error) for each in missing] == [(1, "killed"), (2, "")]
    for content, words in (
        ([], 'says nothing of a job: it has no "method"'),
        ({"method": "CAM", "seed": "x"}, "seed is a whole number, but got 'x'"),
        ({"method": "CAM", "train_minutes": -1}, "train_minutes is a number not below 0, but got -1"),
        ({"method": "CAM", "options": 3}, "options is values by their names, but got 3"),
        ({"method": "CAM", "boxes_used": 1}, "boxes_used is true or false, but got 1"),
    ):
        with pytest.raises(DataError, match=words):
            JobFacts.from_dict(content)
    (tmp_path / "jobs" / "a" / "job.json").write_text("{")
    with pytest.raises(DataError, match=r"a/job.json cannot be read: .*Run the benchmark again"):
        read_jobs(tmp_path)


def test_a_job_that_was_missing_and_is_finished_now_is_read_again(make, tmp_path):
    folders = [tmp_path / "jobs" / name for name in ("a", "b", "c")]
    for seed, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(json.dumps({"method": "CAM", "data": "birds50", "seed": seed}))
    (folders[0] / "results.json").write_text(json.dumps(make.content()))
    done, missing = read_jobs(tmp_path)
    write_benchmark(table_of(done, missing=missing, methods=[]), tmp_path)
    assert read_again(tmp_path).missing == ("CAM on birds50: seed 1 has not run; seed 2 has not run",)
    (folders[1] / "results.json").write_text(json.dumps(make.content()))
    found = read_again(tmp_path)
    assert rows(found)["CAM"].seeds == 2
    assert found.missing == ("CAM on birds50: seed 2 has not run",)


def test_hits_of_baselines_are_written_and_read(make, tmp_path):
    one = evaluation(make, "hp", drawn="01")
    write_evaluation(tmp_path, one, page=False)
    assert read_evaluation(tmp_path).baseline_hits == one.baseline_hits == {BLOB: (False, True)}
