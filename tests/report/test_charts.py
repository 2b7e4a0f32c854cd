"""Charts: places of points, marks and text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from wsolkit.evaluation.results import Curve, Line
from wsolkit.evaluation.scores import Score
from wsolkit.report.charts import charts_of, histogram, line_chart, range_of, series_of, ticks


def curve(y, x_label="threshold", y_label="hits (%)"):
    return Curve(np.linspace(0, 1, len(y)), np.array(y, float), x_label, y_label)


def line(name, percent, threshold, selection):
    return Line(name, Score(percent, 9, percent, percent), threshold, selection)


def parts(svg, name, kind):
    return [each for each in ElementTree.fromstring(svg).iter(name) if kind in each.get("class", "").split()]


def points(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get("d"))]


@pytest.mark.parametrize(
    ("low", "high", "wanted", "expected"),
    [(0, 100, 5, [0, 20, 40, 60, 80, 100]), (0, 1, 10, np.arange(11) / 10), (0, 12.5, 5, [0, 2.5, 5, 7.5, 10, 12.5])],
)
def test_ticks_are_round(low, high, wanted, expected):
    assert ticks(low, high, wanted) == pytest.approx(list(expected))


def test_ticks_of_nothing():
    assert ticks(3, 3) == [3]


def test_ranges():
    assert range_of([np.array([np.nan, 80.0])], 100) == (0, 100)
    assert range_of([np.array([])], 100) == (0, 100)
    assert range_of([np.zeros(3)], 100) == (0, 100)
    low, high = range_of([np.array([0.0, 7.3])], 100)
    assert low == 0
    assert 7.3 <= high <= 10


def test_a_curve_is_drawn_where_it_belongs():
    svg = line_chart([series_of("A", curve([0, 100, 50]), [])], "threshold", "hits (%)")
    (x0, y0), (x1, y1), (x2, y2) = points(parts(svg, "path", "curve")[0])
    assert x0 < x1 < x2
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y2 == pytest.approx((y0 + y1) / 2, abs=0.2)
    assert y1 < y0  # up is more
    labels = [each.text for each in parts(svg, "text", "tick")]
    assert labels[:6] == ["0", "20", "40", "60", "80", "100"]
    assert [each.text for each in parts(svg, "text", "label")] == ["threshold", "hits (%)"]


def test_an_undefined_value_breaks_the_curve():
    svg = line_chart([series_of("A", curve([10, 20, np.nan, 40, 30]), [])], "threshold", "hits (%)")
    assert re.sub("[^ML]", "", parts(svg, "path", "curve")[0].get("d")) == "MLML"


def test_marks_lie_on_their_curve_and_say_what_they_are():
    lines = [
        line("A@50", 40, 0.25, "chosen on val"),
        line("A@50", 80, 0.5, "test-oracle"),
        line("A@70", 13, 0.5, "fixed"),
    ]
    svg = line_chart([series_of("mine", curve([0, 40, 80, 20, 10]), lines)], "threshold", "hits (%)")
    on_curve = points(parts(svg, "path", "curve")[0])
    used, oracle = parts(svg, "circle", "used"), parts(svg, "circle", "oracle")
    assert [(float(each.get("cx")), float(each.get("cy"))) for each in used] == [on_curve[1]]
    assert [(float(each.get("cx")), float(each.get("cy"))) for each in oracle] == [on_curve[2]]
    assert used[0].find("title").text == "mine: A@50 40.0 at 0.250, chosen on val"
    assert len(parts(svg, "line", "cut")) == 2


def test_only_curves_over_a_threshold_have_marks():
    lines = [line("A", 40, 0.25, "fixed")]
    assert series_of("A", curve([0, 40, 80, 20, 10], x_label="recall (%)"), lines).marks == ()
    assert len(series_of("A", curve([0, 40, 80, 20, 10], x_label="background score"), lines).marks) == 1


def test_curves_with_the_same_axes_share_a_chart():
    pr = Curve(np.array([0.0, 100.0]), np.array([100.0, 0.0]), "recall (%)", "precision (%)")
    named = [("one", series_of("one", curve([1, 2]), [])), ("pr", series_of("pr", pr, []))]
    named.append(("two", series_of("two", curve([3, 4]), [])))
    first, second = charts_of(named)
    assert (first.title, first.legend) == ("hits (%) over threshold", ("one", "two"))
    assert (second.title, second.legend) == ("pr", ())
    assert len(parts(first.svg, "path", "curve")) == 2


def test_names_are_escaped():
    svg = line_chart([series_of("<script>", curve([1, 2]), [])], "<b>", "a & b")
    assert "<script" not in svg
    assert "<b>" not in svg
    ElementTree.fromstring(svg)


def test_a_ninth_curve_is_dashed():
    svg = line_chart([series_of(str(number), curve([number, 2]), []) for number in range(9)], "threshold", "hits (%)")
    assert ["again" in each.get("class") for each in parts(svg, "path", "curve")] == [False] * 8 + [True]


def test_histogram_bars_are_shares():
    svg = histogram({"a": np.array([1, 3])}, np.array([0.0, 0.5, 1.0]), "IoU", "trials (%)", cut=0.5)
    (path,) = parts(svg, "path", "filled")
    floor = points(path)[0][1]
    heights = [floor - y for _, y in points(path)]
    assert heights[3] == pytest.approx(3 * heights[1], abs=0.3)
    (bound,) = parts(svg, "line", "bound")
    assert float(bound.get("x1")) == pytest.approx(points(path)[2][0])
    assert "hit from 0.5" in svg


def test_a_histogram_of_nothing_is_flat():
    svg = histogram({"a": np.zeros(2, int), "b": np.zeros(2, int)}, np.array([0.0, 0.5, 1.0]), "IoU", "trials (%)")
    assert len({y for path in parts(svg, "path", "curve") for _, y in points(path)}) == 1
    assert not parts(svg, "line", "bound")
