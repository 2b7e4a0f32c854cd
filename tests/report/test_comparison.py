"""Runs side by side: best numbers, paired tests on what is shared, and what makes a table unfair."""

import json
import re
import shutil

import pytest

from wsolkit import ConfigError, DataError
from wsolkit.cli.compare import numbers_table
from wsolkit.report.chosen_trials import agreements, disagreements
from wsolkit.report.comparison import compare_runs, shared_trials
from wsolkit.report.comparison_page import escaped, markdown, p_words, write_comparison
from wsolkit.report.evaluation_file import evaluation_of


def trials_of(make, outcomes, prefix="i"):
    """Return a trial for each letter: h hit, p part."""
    names = {"h": ("hit", 0.8), "p": ("part", 0.3)}
    return [make.trial(f"{prefix}{number}.jpg", *names[letter]) for number, letter in enumerate(outcomes)]


def run(make, name, outcomes="hhpp", **changes):
    return evaluation_of(make.content(name, trials=trials_of(make, outcomes), **changes), f"{name}/results.json")


def test_runs_alike_have_no_warning(make):
    found = compare_runs([run(make, "A"), run(make, "B")])
    assert found.warnings == ()
    assert found.names == ["A", "B"]
    (pair,) = found.pairs
    assert (pair.paired.n, pair.paired.p, pair.p_holm, pair.only_first, pair.only_other) == (4, 1, 1, 0, 0)


def test_rows_are_honest_before_oracle_and_the_best_is_marked(make):
    other = make.result(lines=[make.line("MaxBoxAcc@50", 60.0, 0.2, "chosen on val"), make.line("New", 1.0)])
    found = compare_runs([run(make, "A"), run(make, "B", results=[other, make.result("PxAP", [make.line("PxAP", 9)])])])
    rows = [(row.metric, row.name, row.oracle, [line and line.score.percent for line in row.lines], row.best)
            for row in found.rows]  # fmt: skip
    assert rows == [
        ("MaxBoxAcc", "MaxBoxAcc@50", False, [50, 60], {1}),
        ("MaxBoxAcc", "MaxBoxAcc@50", True, [75, None], set()),
        ("MaxBoxAcc", "New", False, [None, 1], set()),
        ("PxAP", "PxAP", False, [None, 9], set()),
    ]


def test_equal_in_print_is_equally_best(make):
    runs = [run(make, name, results=[make.result(lines=[make.line("A", value)])])
            for name, value in (("A", 50.01), ("B", 50.04), ("C", 49.0))]  # fmt: skip
    assert compare_runs(runs).rows[0].best == {0, 1}


def test_over_unequal_numbers_of_trials_nothing_is_best(make):
    runs = [run(make, name, results=[make.result(lines=[make.line("A", value, n=n)])])
            for name, value, n in (("A", 50.0, 4), ("B", 60.0, 3))]  # fmt: skip
    assert compare_runs(runs).rows[0].best == set()


def test_what_trials_were_judged_by_is_said_of_each_run_where_it_differs(make):
    at = {"metric": "localization", "threshold": 0.3, "selection": "chosen on val", "iou": 0.5}
    same = "MaxBoxAcc, threshold 0.200 (chosen on val), a hit is IoU >= 0.5"
    assert compare_runs([run(make, "A"), run(make, "B"), run(make, "C", "")]).judged == same
    found = compare_runs([run(make, "A"), run(make, "B", trials_at=at)])
    assert found.judged == f"A: {same}; B: localization, threshold 0.300 (chosen on val), a hit is IoU >= 0.5"
    assert f"Trials: {escaped(found.judged)}." in markdown(found)


def test_the_paired_test_counts_shared_trials(make):
    first = run(make, "A", "hhhppppppph")
    second = run(make, "B", "phhhhhhhhh")
    found = compare_runs([first, second])
    (pair,) = found.pairs
    assert (pair.paired.both, pair.paired.only_first, pair.paired.only_second, pair.paired.neither) == (2, 1, 7, 0)
    assert pair.paired.difference == pytest.approx(60)
    assert pair.paired.p == 2 * (1 + 8) / 256
    assert (pair.only_first, pair.only_other) == (1, 0)
    assert "trials: 10 are shared by A and B and compared; 1 are only in A, 0 only in B" in found.warnings


def test_p_values_are_corrected_for_the_number_of_runs(make):
    base = run(make, "A", "p" * 10)
    found = compare_runs([base, run(make, "B", "h" * 5 + "p" * 5), run(make, "C", "h" * 10)])
    assert [pair.paired.p for pair in found.pairs] == [2 / 32, 2 / 1024]
    assert [pair.p_holm for pair in found.pairs] == [2 / 32, 4 / 1024]


def test_trials_match_by_image_and_class(make):
    mine, theirs = (
        [make.trial("a.jpg", one, 0.5, label=0), make.trial("a.jpg", two, 0.5, label=1)]
        for one, two in (("hit", "part"), ("part", "part"))
    )
    runs = [
        evaluation_of(make.content(name, trials=trials), name) for name, trials in (("A", mine), ("B", theirs[::-1]))
    ]
    assert compare_runs(runs).pairs[0].paired.only_first == 1
    assert [[trial.outcome for trial in each] for each in shared_trials(runs)] == [["hit", "part"], ["part", "part"]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": "val"}, 'split: "test" (A), "val" (B)'),
        ({"conventions": {"comparator": "IoU >=", "box source": "all"}},
         'MaxBoxAcc: box source: "largest" (A), "all" (B)'),
        ({"conventions": {"comparator": "IoU >="}}, 'MaxBoxAcc: box source: "largest" (A), "not said" (B)'),
        ({"selection": "fixed"}, 'MaxBoxAcc: threshold selection: "chosen on val and test-oracle" (A), '
         '"fixed and test-oracle" (B)'),
        ({"n": 7}, 'MaxBoxAcc: n: "4" (A), "7" (B)'),
        ({"trials_at": {"metric": "MaxBoxAcc", "threshold": 0.3, "selection": "chosen on val", "iou": 0.3}},
         'trials, IoU of a hit: "0.5" (A), "0.3" (B)'),
        ({"trials_at": {"metric": "MaxBoxAcc", "selection": "test-oracle", "iou": 0.5}},
         "trials: the threshold of B was chosen on the scored split itself, so the paired test is one of test-oracle "
         "numbers"),
        ({"classes": ["dog", "cat"]}, "classes: the runs list different classes, so a class's number may mean another "
         "in each"),
        ({"trials": []}, "trials: B kept none, so no paired test is possible there"),
    ],
)  # fmt: skip
def test_what_differs_is_named(make, changes, words):
    conventions = changes.pop("conventions", {"comparator": "IoU >=", "box source": "largest"})
    lines = [make.line("MaxBoxAcc@50", 50.0, 0.2, changes.pop("selection", "chosen on val"), n=changes.pop("n", 4)),
             make.line("MaxBoxAcc@50", 75.0, 0.4, "test-oracle")]  # fmt: skip
    content = make.content("B", results=[make.result(lines=lines, conventions=conventions)])
    content |= {"trials": trials_of(make, "hhpp"), **changes}
    assert words in compare_runs([run(make, "A"), evaluation_of(content, "B")]).warnings


def test_other_thresholds_of_the_same_choice_are_fair(make):
    lines = [make.line("MaxBoxAcc@50", 50.0, 0.5, "chosen on val"), make.line("MaxBoxAcc@50", 75.0, 0.1, "test-oracle")]
    at = {"metric": "MaxBoxAcc", "threshold": 0.5, "selection": "chosen on val", "iou": 0.5}
    other = run(make, "B", results=[make.result(lines=lines)], trials_at=at)
    assert compare_runs([run(make, "A"), other]).warnings == ()


def test_other_true_boxes_are_named(make):
    trials = trials_of(make, "hhpp")
    trials[1]["truth"] = [[0.25, 0.25, 0.75, 0.9]]
    trials[2]["truth"] = [[0.25, 0.25, 0.75, 0.7501]]
    found = compare_runs([run(make, "A"), evaluation_of(make.content("B", trials=trials), "B")])
    assert found.warnings == ("trials: 1 have other true boxes in B than in A",)


def test_true_boxes_cut_off_at_other_pixels_are_the_same(make):
    trials = trials_of(make, "hhpph")
    trials[0]["truth"] = [[0.25 - 2 / 112, 0.25 + 2 / 112, 0.75 + 2 / 112, 0.75 - 2 / 112]]
    trials[1]["truth"] = [[0.25, 0.25, 0.75 + 0.02, 0.75]]
    runs = [run(make, "A", "hhpph"), evaluation_of(make.content("B", trials=trials), "B")]
    assert compare_runs(runs).warnings == ()
    trials[2]["truth"] = [[0.25, 0.25, 0.75 + 0.021, 0.75]]
    trials[3]["truth"] = [[0.25, 0.25, 0.75, 0.75]] * 2
    runs[1] = evaluation_of(make.content("B", trials=trials), "B")
    assert compare_runs(runs).warnings == ("trials: 2 have other true boxes in B than in A",)


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [
        ("at 224 x 224 (H x W); 0 of 702 resized", "at 224 x 224 (H x W); 702 of 702 resized (linear)", None),
        ("at 9 x 9; 5 of 9 resized (linear); each brought to [0, 1]",
         "at 9 x 9; 0 of 9 resized; each brought to [0, 1]", None),
        ("at 9 x 9; 0 of 9 resized", "at 8 x 8; 9 of 9 resized (linear)", '"at 9 x 9" (A), "at 8 x 8" (B)'),
        ("at 9 x 9; 0 of 9 resized", "at 9 x 9; 0 of 9 resized; each brought to [0, 1]",
         '"at 9 x 9" (A), "at 9 x 9; each brought to [0, 1]" (B)'),
        ("at 9 x 9; 9 of 9 resized (linear)", "at 9 x 9; 8 of 9 resized (cubic)",
         '"at 9 x 9; resized (linear)" (A), "at 9 x 9; resized (cubic)" (B)'),
    ],
)  # fmt: skip
def test_how_many_maps_were_resized_is_no_convention(make, mine, theirs, words):
    runs = [
        run(make, name, results=[make.result(conventions={"score maps": text})])
        for name, text in (("A", mine), ("B", theirs))
    ]
    assert compare_runs(runs).warnings == ((f"MaxBoxAcc: score maps: {words}",) if words else ())


def test_of_n_the_number_counts_and_not_its_words(make):
    def other(name, words, n):
        return run(make, name, results=[make.result(lines=[make.line("A", 50.0, n=n)], conventions={"n": words})])

    alike = [other("A", "maps, of 3 images", 4), other("B", "images", 4)]
    assert compare_runs(alike).warnings == ()
    fewer = [other("A", "images", 4), other("B", "images; left out: 1", 3)]
    assert compare_runs(fewer).warnings == ('MaxBoxAcc: n: "4" (A), "3" (B)',)


def test_runs_that_share_no_trials(make):
    other = evaluation_of(make.content("B", trials=trials_of(make, "hh", prefix="other")), "B")
    found = compare_runs([run(make, "A"), other])
    assert found.pairs[0].paired is None
    assert "trials: A and B share none, so no paired test is possible" in found.warnings
    assert "| B | 0 | 0 | 0 | - | - | - |" in markdown(found)


def test_one_metric_alone(make):
    results = [make.result(), make.result("PxAP", [make.line("PxAP", 9.0), make.line("PxIoU", 8.0)])]
    runs = [run(make, name, results=results) for name in "AB"]
    assert {row.metric for row in compare_runs(runs, "PxAP").rows} == {"PxAP"}
    assert [row.name for row in compare_runs(runs, "PxIoU").rows] == ["PxIoU"]
    with pytest.raises(ConfigError, match="No run has a metric or number 'PxAb'. Did you mean 'PxAP'"):
        compare_runs(runs, "PxAb")


def test_mistakes(make):
    with pytest.raises(ConfigError, match="two runs or more, but got 1"):
        compare_runs([run(make, "A")])
    with pytest.raises(ConfigError, match="Two runs are called 'A'. Give every run a name of its own with --names"):
        compare_runs([run(make, "A"), run(make, "A")])
    twice = evaluation_of(make.content("B", trials=[make.trial("a", "hit", 0.9)] * 2), "B/results.json")
    with pytest.raises(DataError, match="B/results.json has two trials of image 'a' and class 0"):
        compare_runs([run(make, "A"), twice])


def test_the_runs_disagree_most_where_one_hits(make):
    hits = ("hhppppp", "phhhhpp", "hhhhhpp")
    runs = [run(make, name, outcomes) for name, outcomes in zip("ABC", hits, strict=True)]
    found = disagreements(shared_trials(runs), most=3)
    assert sorted(each[0].image_id for each in found) == ["i0.jpg", "i2.jpg", "i3.jpg"]
    assert len(disagreements(shared_trials(runs))) == 4  # i1, i5 and i6 are the same in all


def test_trials_that_end_alike_come_last(make):
    mine, theirs = ([make.trial("a", "part", one), make.trial("b", "hit", 0.51)] for one in (0.05, 0.45))
    theirs[1] = make.trial("b", "part", 0.49)
    runs = [evaluation_of(make.content(name, trials=trials), name) for name, trials in (("A", mine), ("B", theirs))]
    assert [each[0].image_id for each in disagreements(shared_trials(runs), most=1)] == ["b"]
    assert [each[0].image_id for each in disagreements(shared_trials(runs))] == ["a", "b"]


def test_some_trials_on_which_all_agree_are_shown_too(make, tmp_path):
    shared = shared_trials([run(make, name, "hhhpppph" + letter) for name, letter in zip("AB", "ph", strict=True)])
    assert [each[0].image_id for each in agreements(shared, most=4)] == ["i0.jpg", "i7.jpg", "i3.jpg", "i6.jpg"]
    assert [len(agreements(shared, most)) for most in (12, 7)] == [8, 7]
    assert agreements([]) == []
    comparison = compare_runs([run(make, "A", "hp"), run(make, "B", "hp")])
    html = write_comparison(tmp_path, comparison)[0].read_text("utf-8")
    assert "Some on which all agree" in html
    assert "Where the runs disagree most" not in html
    assert html.count('<article class="card"') == 2


def test_the_table_for_a_paper(make):
    first = run(
        make, "A|x", results=[make.result(lines=[make.line("Acc", 50.0), make.line("Acc", 60.0, 0.1, "test-oracle")])]
    )
    second = run(
        make, "B_y", results=[make.result(lines=[make.line("Acc", 70.0), make.line("Acc", 80.0, 0.1, "test-oracle")])]
    )
    rows = markdown(compare_runs([first, second])).splitlines()
    assert rows[:4] == [
        r"| | A\|x | B\_y |",
        "|---|---:|---:|",
        r"| MaxBoxAcc: Acc | 50.0 \[45.0, 55.0\] | **70.0** \[65.0, 75.0\] |",
        r"| MaxBoxAcc: Acc (test-oracle) | *60.0* \[55.0, 65.0\] | ***80.0*** \[75.0, 85.0\] |",
    ]
    assert r"| B\_y | 4 | 0 | 0 | +0.00 [+0.00, +0.00] | 1 | 1 |" in rows
    assert "MaxBoxAcc: comparator: IoU &gt;=; box source: largest" in rows


def test_a_number_without_an_interval_stands_alone(make):
    results = [make.result("peaks", [make.line("mean peak", 50.0, low=None, high=None)])]
    found = compare_runs([run(make, name, results=results) for name in "AB"])
    assert "| peaks: mean peak | **50.0** | **50.0** |" in markdown(found).splitlines()
    table = numbers_table(found)
    assert [[str(cell) for cell in column.cells] for column in table.columns[1:]] == [["50.0"], ["50.0"]]


def test_words():
    assert [p_words(p) for p in (None, 0.0, 0.0009, 0.05, 0.9996)] == ["-", "< 0.001", "< 0.001", "0.050", "1"]
    assert escaped("*a*\n`b` [c](d)") == r"\*a\* \`b\` \[c\](d)"


def test_the_files(make, tmp_path, images):
    maps = str(images.parent / "maps")
    trials = [
        [make.trial("a.jpg", one, 0.8), make.trial("b.jpg", two, 0.2)]
        for one, two in (("hit", "part"), ("part", "hit"))
    ]
    runs = [
        evaluation_of(make.content(name, trials=each, maps=maps), name)
        for name, each in zip(("A<b>", "B"), trials, strict=True)
    ]
    note = "CAM <b> lights a part"
    paths = write_comparison(tmp_path / "out", compare_runs(runs), images, own_runs=True, note=note)
    assert [path.name for path in paths] == ["compare.html", "compare.json", "table.md"]
    html = paths[0].read_text("utf-8")
    assert html.count('class="card" data-hits="10"') == html.count('class="card" data-hits="01"') == 1
    assert "A<b>" not in html
    assert html.count("data:image/jpeg") == 2
    assert html.count("data:image/webp") == 4
    assert "http" not in html
    assert "CAM &lt;b&gt; lights a part" in html
    first = html.partition('<article class="card"')[2].partition("</article>")[0]  # photograph, map of A, map of B
    views = first.split("<figure>")[1:]
    assert [len(re.findall(r"data:image/webp", view)) for view in views] == [0, 1, 1]
    styles = [re.findall(r'<rect class="(truth|run\d)"', view) for view in views]
    assert styles == [["truth", "run0", "run1"], ["truth", "run0"], ["truth", "run1"]]
    numbers = json.loads(paths[1].read_text("utf-8"))
    assert numbers["against_first"][0]["only_first"] == numbers["against_first"][0]["only_second"] == 1
    assert numbers["numbers"][0]["runs"][0]["percent"] == 50
    assert [each["name"] for each in numbers["runs"]] == ["A<b>", "B"]


def test_what_the_runs_name_themselves_is_opened_only_for_own_runs(make, tmp_path, images):
    """A stranger's file must not put pictures of this machine on a page that is passed on."""
    shutil.copy(images / "a.jpg", tmp_path / "private.jpg")
    names = ("a.jpg", "../private.jpg", str(tmp_path / "private.jpg"))
    runs = []
    for name, outcome in (("A", "hit"), ("B", "part")):
        trials = [make.trial(each, outcome, 0.8 if outcome == "hit" else 0.2) for each in names]
        content = make.content(name, trials=trials, image_root=str(images), maps=str(images.parent / "maps"))
        runs.append(evaluation_of(content, name))

    def page(**options):
        html = write_comparison(tmp_path / "out", compare_runs(runs), **options)[0].read_text("utf-8")
        return html, html.count("data:image/jpeg"), html.count("data:image/webp")

    html, *pictures = page()
    assert pictures == [0, 0]
    assert "Photos are left out: give the folder of the images with --images." in html
    assert "where the runs are yours, --own-runs shows their score maps" in html
    html, *pictures = page(images=images)
    assert pictures == [1, 0]
    assert "2 of the photos cannot be read and are left out." in html
    assert page(own_runs=True)[1:] == (3, 2)


def test_the_numbers_name_whole_paths(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = compare_runs([run(make, "A"), run(make, "B")]).as_dict()
    assert [each["path"] for each in numbers["runs"]] == [str(tmp_path / f"{name}/results.json") for name in "AB"]


def test_a_folder_that_cannot_be_written_to_is_named(make, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"file/out cannot be written to: .*Choose another folder"):
        write_comparison(tmp_path / "file" / "out", compare_runs([run(make, "A"), run(make, "B")]))


def test_the_page_of_runs_without_trials(make, tmp_path):
    runs = [evaluation_of(make.content(name, trials=[]), name) for name in "AB"]
    html = write_comparison(tmp_path, compare_runs(runs))[0].read_text("utf-8")
    assert "share no trials, so there are no pictures of boxes" in html
    assert "hits over threshold" in html
    assert "kept none, so no paired test is possible" in html


def with_baselines(make, name, blob=None, **changes):
    """Return a run with 50 and, by the oracle, 75, beside a blob and the whole image."""
    honest = [] if blob is None else [make.line("MaxBoxAcc@50", blob, 0.3, "chosen on val")]
    oracle = make.line("MaxBoxAcc@50", 80.0, 0.5, "test-oracle")
    baselines = {"centred blob": [make.result(lines=[*honest, oracle])], "whole image": [make.result("PxAP", [oracle])]}
    return run(make, name, baselines=baselines, **changes)


def test_trivial_baselines_are_columns_behind_the_runs(make, tmp_path):
    """They are never the best of a row, and have no row of their own."""
    runs = [run(make, "A"), with_baselines(make, "B", 62.0)]
    found = compare_runs(runs)
    assert found.names == ["A", "B"]
    assert found.columns == ["A", "B", "centred blob", "whole image"]
    rows = [(row.metric, row.oracle, [line and line.score.percent for line in row.lines], row.best)
            for row in found.rows]  # fmt: skip
    assert rows == [
        ("MaxBoxAcc", False, [50, 50, 62, None], {0, 1}),
        ("MaxBoxAcc", True, [75, 75, 80, None], {0, 1}),
    ]
    assert found.warnings == ()
    assert [pair.name for pair in found.pairs] == ["B"]
    assert markdown(found).splitlines()[:4] == [
        "| | A | B | centred blob | whole image |",
        "|---|---:|---:|---:|---:|",
        r"| MaxBoxAcc@50 | **50.0** \[45.0, 55.0\] | **50.0** \[45.0, 55.0\] | 62.0 \[57.0, 67.0\] | - |",
        r"| MaxBoxAcc@50 (test-oracle) | ***75.0*** \[70.0, 80.0\] | ***75.0*** \[70.0, 80.0\] | "
        r"*80.0* \[75.0, 85.0\] | - |",
    ]
    numbers = found.as_dict()
    assert numbers["baselines"] == ["centred blob", "whole image"]
    assert [each["name"] for each in numbers["runs"]] == ["A", "B"]
    assert [each["percent"] for each in numbers["numbers"][0]["runs"]] == [50, 50]
    first, second = numbers["numbers"][0]["baselines"]
    assert (first["percent"], first["threshold"], first["selection"], second) == (62.0, 0.3, "chosen on val", None)
    html = write_comparison(tmp_path, found)[0].read_text("utf-8")
    head, *body = html[html.index("<th>number</th>") : html.index("</table>")].split("</tr>")[:3]
    assert head.count("<th") == 5
    assert [row.count("<td") for row in body] == [5, 5]


def test_the_baselines_are_those_of_the_first_run_that_has_some(make):
    found = compare_runs([run(make, "A"), with_baselines(make, "B", 62.0), with_baselines(make, "C", 12.0)])
    assert [line and line.score.percent for line in found.rows[0].lines] == [50, 50, 50, 62, None]
    without = compare_runs([run(make, "A"), run(make, "B")])
    assert (without.columns, without.as_dict()["baselines"]) == (["A", "B"], [])
