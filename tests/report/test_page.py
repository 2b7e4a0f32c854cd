"""The page of one run: what stands on it, and that it stands alone."""

import math
import re
from html.parser import HTMLParser

import pytest

from wsolkit import DataError
from wsolkit.report.evaluation_file import evaluation_of
from wsolkit.report.page import MEANINGS, bar_of, bars_by_size, percent, write_report


class Elements(HTMLParser):
    """Collects the start tags, and the text outside of scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += " " + data

    def words(self):
        return " ".join(self.text.split())


def page_of(folder, content):
    return write_report(folder, evaluation_of(content, folder)).read_text("utf-8")


def cells_of(html):
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [[Elements(cell).words() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


def headings_of(html):
    """Return the headings of the first table."""
    return [Elements(cell).words() for cell in re.findall(r"<th.*?</th>", html.split("</tr>")[0], re.DOTALL)]


def test_the_numbers_stand_on_the_page_with_their_conventions(make, tmp_path):
    lines = [
        make.line("MaxBoxAcc@50", 50.04, 0.2, "chosen on val", macro=44.4),
        make.line("MaxBoxAcc@50", 75.0, 0.4, "test-oracle", macro=66.6),
    ]
    html = page_of(tmp_path, make.content(results=[make.result(lines=lines)]))
    row = next(row for row in cells_of(html) if row and row[0] == "MaxBoxAcc@50")
    assert row[1:9] == [
        "50.0 [45.0, 55.0]", "44.4", "0.200 chosen on val", "75.0 [70.0, 80.0]", "66.6", "0.400", "+25.0", "4",
    ]  # fmt: skip
    words = Elements(html).words()
    assert "mine: test split" in words
    assert "wsolkit evaluate" in words
    assert "comparator IoU >= box source largest" in words
    assert "MaxBoxAcc, threshold 0.200 (chosen on val), a hit is IoU >= 0.5" in words
    assert "95 % interval: Wilson." in words


def test_the_page_needs_no_other_file(make, tmp_path, images):
    content = make.content(image_root=str(images), maps=str(images.parent / "maps"))
    html = page_of(tmp_path / "out", content)
    tags = Elements(html).tags
    assert not [tag for tag, _ in tags if tag in ("link", "iframe", "object", "base")]
    sources = [value for _, attrs in tags for name, value in attrs.items() if name in ("src", "href", "srcset")]
    assert sources
    assert all(value.startswith("data:image/") for value in sources)
    assert "@import" not in html
    assert "http" not in re.sub(r"data:[^\"]*", "", html)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["index.html"]


def test_pictures_say_how_each_box_ends(make, tmp_path, images):
    content = make.content(image_root=str(images), maps=str(images.parent / "maps"))
    html = page_of(tmp_path, content)
    cards = re.findall(r'<article class="card" data-kind="([^"]*)">(.*?)</article>', html, re.DOTALL)
    assert [kind for kind, _ in cards] == ["part", "miss", "hit", "hit"]
    texts = [Elements(card).words() for _, card in cards]
    assert texts[0] == "cat IoU 0.30 part b.jpg"
    assert texts[1] == "dog IoU 0.00 miss no box c.jpg"
    assert texts[2].startswith("cat IoU 0.90 hit")
    assert all("data:image/jpeg" in card and "data:image/webp" in card for _, card in cards)
    assert ['class="run0"' in card for _, card in cards] == [True, False, True, True]


def test_a_hostile_name_is_only_text(make, tmp_path):
    name = "<script>alert(1)</script>\"'&.jpg"
    content = make.content(
        name=name, command=name, classes=[name], maps=name, image_root=name, split=name,
        trials=[make.trial(name, "part", 0.2), make.trial("caf\udce9.jpg", "hit", 0.8)],
        results=[make.result(metric=name, lines=[make.line(name, 50.0)], conventions={name: name},
                             curves={name: {"x": [0, 1], "y": [1, 2], "x_label": name, "y_label": name}})],
    )  # fmt: skip
    html = page_of(tmp_path, content)
    elements = Elements(html)
    assert [attrs for tag, attrs in elements.tags if tag == "script"] == [{}]
    assert "alert(1)" not in re.search(r"<script>(.*)</script>", html, re.DOTALL).group(1)
    assert not any(key.startswith("on") for tag, attrs in elements.tags for key in attrs if tag != "form")
    assert "caf\\udce9.jpg" in html
    assert "<script>alert(1)</script>" in elements.text


def test_no_trials_no_results(make, tmp_path):
    assert "keeps no trials" in page_of(tmp_path / "a", make.content(trials=[]))
    words = Elements(page_of(tmp_path / "b", {"name": "x", "results": []})).words()
    assert "The evaluation holds no numbers." in words
    assert "keeps no trials" in words


def test_what_is_gone_is_named(make, tmp_path):
    words = Elements(page_of(tmp_path, make.content(maps="/gone/maps", image_root="/gone/images"))).words()
    assert "The folder of the images is gone (/gone/images), so photos are left out." in words
    assert "The score maps are gone (/gone/maps), so they are left out." in words
    assert "no photo" in words


def test_oracle_numbers_alone_are_called_so(make, tmp_path):
    oracle = make.line("A", 75.0, 0.4, "test-oracle")
    html = page_of(tmp_path / "a", make.content(results=[make.result(lines=[oracle])]))
    assert "do not belong beside numbers whose threshold was fixed" in html
    row = next(row for row in cells_of(html) if row and row[0] == "A")
    assert row == ["A", "75.0 [70.0, 80.0]", "0.400", "4", ""]
    assert headings_of(html) == ["number", "test-oracle [95 % interval]", "threshold", "n", "0 to 100 %"]
    assert "the gap is" not in html
    assert "do not belong beside" not in page_of(tmp_path / "b", make.content())


def test_oracle_numbers_alone_have_no_column_of_honest_ones(make, tmp_path):
    oracle = make.line("A", 75.0, 0.4, "test-oracle", macro=66.6)
    html = page_of(tmp_path, make.content(results=[make.result(lines=[oracle])]))
    assert headings_of(html) == ["number", "test-oracle [95 % interval]", "macro", "threshold", "n", "0 to 100 %"]
    assert next(row for row in cells_of(html) if row and row[0] == "A")[1:5] == [
        "75.0 [70.0, 80.0]", "66.6", "0.400", "4",
    ]  # fmt: skip


def test_a_threshold_is_shown_without_an_oracle_beside_it(make, tmp_path):
    lines = [make.line("CorLoc", 50.0, 0.2, "fixed", macro=40.0), make.line("other", 30.0)]
    html = page_of(tmp_path, make.content(results=[make.result("CorLoc", lines)]))
    assert headings_of(html) == ["number", "percent [95 % interval]", "macro", "threshold", "n", "0 to 100 %"]
    rows = [row for row in cells_of(html) if row and row[0] in ("CorLoc", "other")]
    assert [row[1:5] for row in rows[:2]] == [
        ["50.0 [45.0, 55.0]", "40.0", "0.200 fixed", "4"],
        ["30.0 [25.0, 35.0]", "-", "-", "4"],
    ]


def test_numbers_without_thresholds_have_no_column_of_them(make, tmp_path):
    html = page_of(tmp_path, make.content(results=[make.result("top-1", [make.line("top-1", 50.0)])]))
    assert headings_of(html) == ["number", "percent [95 % interval]", "n", "0 to 100 %"]
    assert next(row for row in cells_of(html) if row and row[0] == "top-1")[:3] == ["top-1", "50.0 [45.0, 55.0]", "4"]


def test_every_row_has_a_cell_for_every_heading(make, tmp_path):
    lines = [make.line("A", 50.0, 0.2, "fixed"), make.line("A", 75.0, 0.4, "test-oracle", macro=1.0),
             make.line("B", 20.0), make.line("C", 30.0, 0.1, "test-oracle")]  # fmt: skip
    for number in range(1, 16):
        some = [line for place, line in enumerate(lines) if number >> place & 1]
        html = page_of(tmp_path, make.content(results=[make.result(lines=some, each_class={})], trials=[]))
        assert {len(row) for row in cells_of(html) if row} == {len(headings_of(html))}


def test_undefined_numbers_are_dashes(make, tmp_path):
    lines = [{**make.line("A", 50.0), "percent": None, "low": None, "high": None}]
    html = page_of(tmp_path, make.content(results=[make.result(lines=lines, each_class={"0": None, "1": 5.0})]))
    assert next(row for row in cells_of(html) if row and row[0] == "A")[:2] == ["A", "- [-, -]"]
    assert "nan" not in Elements(html).words().lower().split()
    assert [row for row in cells_of(html) if len(row) == 2][-2:] == [["dog", "5.0"], ["cat", "-"]]  # worst first


def test_class_accuracy_of_the_trials(make, tmp_path):
    trials = [make.trial("a", "hit", 0.9, right_class=True), make.trial("b", "hit", 0.9, right_class=False)]
    trials += [make.trial("c", "miss", 0.0, right_class=True), make.trial("d", "part", 0.2, right_class=True)]
    words = Elements(page_of(tmp_path, make.content(trials=trials))).words()
    assert "The class is right in 75.0 % of 4 trials; class and box in 25.0 %." in words
    assert words.count("another class was predicted") == 1


def test_bars_hold_the_shares(make):
    run = evaluation_of(make.content(), "x")
    assert bar_of("all", run.trials) == ("all", 4, {"hit": 50.0, "part": 25.0, "miss": 25.0})
    (bar,) = bars_by_size(run.trials)
    assert (bar.name, bar.n) == ("object 25 to 50 % of the image", 4)


def test_every_outcome_has_a_meaning():
    from wsolkit.evaluation.failures import FAILURES

    assert list(MEANINGS) == list(FAILURES)


def test_percent():
    assert [percent(value) for value in (None, math.nan, 0.04, 100)] == ["-", "-", "0.0", "100.0"]


def test_the_page_is_modest(make, tmp_path, images):
    trials = [make.trial("a.jpg", outcome, 0.3, label=number) for number in range(100) for outcome in ("part", "more")]
    trials += [make.trial("b.jpg", "hit", 0.8, label=number) for number in range(100)]
    html = page_of(tmp_path, make.content(trials=trials, image_root=str(images), maps=str(images.parent / "maps")))
    assert html.count("<article") == 24 + 12
    assert len(html) < 2_000_000


def test_a_folder_that_is_a_file_is_named(make, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"index.html cannot be written: .*Choose another folder"):
        write_report(tmp_path / "file", evaluation_of(make.content(), "x"))


def test_classes_have_a_column_for_each_line_that_knows_them(make, tmp_path):
    some = [make.line("BoxMAP@50", 40.0), make.line("BoxMAP@30", 60.0)]
    one = make.result("BoxMAP", some, more_each_class={"BoxMAP@30": {"1": 75.0}})
    html = page_of(tmp_path, make.content(results=[one], trials=[]))
    assert '<th class="number">BoxMAP@50</th><th class="number">BoxMAP@30</th>' in html
    assert '<td>dog</td><td class="number">25.0</td><td class="number">75.0</td>' in html
    assert '<td>cat</td><td class="number">100.0</td><td class="number">-</td>' in html


def test_trivial_baselines_stand_below_the_numbers(make, tmp_path):
    """Each number has its column; the honest one goes before the oracle's, and what a baseline lacks is a dash."""
    cut = [make.line("A", 50.0, 0.2, "fixed"), make.line("A", 75.0, 0.4, "test-oracle"), make.line("B", 20.0)]
    blob = [make.line("A", 31.0, 0.3, "fixed"), make.line("A", 42.0, 0.5, "test-oracle")]
    whole = [make.line("A", 13.0, 0.3, "test-oracle"), make.line("B", 14.0)]
    other = [make.result("PxAP", [make.line("PxAP", 99.0)])]
    baselines = {"centred <blob>": [make.result(lines=blob)], "whole image": [make.result(lines=whole)], "none": other}
    html = page_of(tmp_path, make.content(results=[make.result(lines=cut)], baselines=baselines))
    assert [row for row in cells_of(html) if row and row[0] in ("centred <blob>", "whole image", "none")] == [
        ["centred <blob>", "31.0", "-"],
        ["whole image", "13.0", "14.0"],
    ]
    table = html[html.index("trivial baseline") :]
    assert headings_of(table)[:2] == ["A", "B"]
    assert "trivial baseline" not in page_of(tmp_path, make.content())


def test_the_head_names_what_found_the_boxes(make, tmp_path):
    words = Elements(page_of(tmp_path, make.content(extractor="AllComponents", checkpoint="/runs/best.pth"))).words()
    assert "boxes of AllComponents" in words
    assert "checkpoint /runs/best.pth" in words
