"""The table of a terminal: every number beside the oracle's and the trivial baselines'."""

import io

from rich.console import Console

from wsolkit.evaluation import BASELINES, MEAN_BOX
from wsolkit.report.evaluation_file import evaluation_of
from wsolkit.report.tables import SHORT, evaluation_table


def rows_of(content):
    table = evaluation_table(evaluation_of(content, "x"))
    names = [str(column.header) for column in table.columns]
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return names, [list(row) for row in zip(*columns, strict=True)], table


def test_a_number_has_the_oracle_and_what_it_would_add(make):
    lines = [
        make.line("MaxBoxAcc@50", 40.0, 0.222, "chosen on val", low=30.0, high=50.0, macro=41.0),
        make.line("MaxBoxAcc@50", 43.0, 0.25, "test-oracle", low=33.0, high=53.0, macro=44.0),
    ]
    names, rows, table = rows_of(make.content(results=[make.result(lines=lines)]))
    assert names == ["", "micro", "interval", "macro", "at", "oracle", "gap"]
    assert rows == [
        ["MaxBoxAcc", "", "", "", "", "", ""],
        ["  MaxBoxAcc@50", "40.0", "30.0 - 50.0", "41.0", "0.222", "43.0", "+3.0"],
    ]
    assert "Thresholds (at) are chosen on val;" in table.caption
    assert str(table.title) == "test split, 4 images"


def test_the_label_free_number_has_a_column_of_its_own(make):
    lines = [
        make.line("A", 40.0, 0.2, "chosen on val", low=30.0, high=50.0, macro=None),
        make.line("A", 38.5, 0.31, "label-free", low=30.0, high=50.0, macro=None),
        make.line("A", 43.0, 0.25, "test-oracle", low=33.0, high=53.0, macro=None),
        make.line("B", 7.0, low=None, high=None),
    ]
    names, rows, table = rows_of(make.content(results=[make.result(lines=lines)]))
    assert names == ["", "micro", "interval", "macro", "at", "label\nfree", "oracle", "gap"]
    assert rows[1:] == [
        ["  A", "40.0", "30.0 - 50.0", "", "0.200", "38.5", "43.0", "+3.0"],
        ["  B", "7.0", "", "", "", "", "", ""],
    ]
    assert "The label-free threshold, 0.310, comes from the maps alone." in table.caption
    assert "Thresholds (at) are chosen on val;" in table.caption


def test_numbers_of_an_oracle_alone_and_of_no_threshold(make):
    lines = [make.line("A", 43.0, 0.25, "test-oracle"), make.line("B", 7.0), make.line("C", 8.0, low=None, high=None)]
    _, rows, table = rows_of(make.content(results=[make.result(lines=lines)]))
    assert rows[1:] == [
        ["  A", "-", "38.0 - 48.0", "", "0.250", "43.0", ""],
        ["  B", "7.0", "2.0 - 12.0", "", "", "", ""],
        ["  C", "8.0", "", "", "", "", ""],
    ]
    assert "Thresholds (at) are test-oracle;" in table.caption


def test_trivial_baselines_stand_beside_every_number(make):
    lines = [make.line("A", 50.0, 0.2, "fixed"), make.line("A", 75.0, 0.4, "test-oracle"), make.line("B", 20.0)]
    blob = [make.line("A", 31.0, 0.3, "fixed"), make.line("A", 42.0, 0.5, "test-oracle")]
    baselines = {"centred Gaussian blob": [make.result("localization", blob)], "of a plugin": [make.result("other")]}
    results = [make.result("localization", lines)]
    content = make.content(results=results, baselines=baselines, extractor="AllComponents")
    names, rows, table = rows_of(content)
    assert names[-2:] == ["centred\nblob", "of a plugin"]
    assert [row[-2:] for row in rows] == [["", ""], ["31.0", ""], ["", ""]]
    assert "Boxes of `localization`: AllComponents." in table.caption
    assert set(SHORT) == {*BASELINES, MEAN_BOX}


def test_the_caption_speaks_of_what_the_table_shows(make):
    lines = [make.line("A", 43.0, 0.25, "test-oracle"), make.line("B", 7.0, 0.2, "fixed")]
    _, _, table = rows_of(make.content(results=[make.result(lines=lines)], extractor="AllComponents"))
    assert "Thresholds (at) are fixed, test-oracle;" in table.caption
    assert "Boxes of `localization`" not in table.caption


def test_the_caption_is_silent_about_thresholds_and_baselines_that_are_not_there(make):
    _, _, table = rows_of(make.content(results=[make.result(lines=[make.line("top-1 accuracy", 43.0, None, None)])]))
    assert table.caption == "Percent, 95 % intervals; micro averages over trials, macro over classes."


def test_names_are_only_text(make):
    content = make.content(split="[b]x", results=[make.result("[red]m", [make.line("[i]caf\udce9", 1.0)])])
    out = io.StringIO()
    Console(file=out, width=120).print(evaluation_table(evaluation_of(content, "x")))
    for words in ("[b]x split", "[red]m", "[i]caf\\udce9"):
        assert words in out.getvalue()
