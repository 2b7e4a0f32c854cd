"""The page of a benchmark's table: what is sorted by, links, quality against time, bands over seeds, pictures."""

import json
import math
import re

import numpy as np
import pytest

from wsolkit import DataError
from wsolkit.evaluation.results import Curve
from wsolkit.report import JobFacts, table_of, write_benchmark
from wsolkit.report.benchmark.charts import band_chart, minute_ticks, time_chart
from wsolkit.report.benchmark.curves import band_of
from wsolkit.report.charts import HEIGHT, LEFT, WIDTH
from wsolkit.report.evaluation_file import evaluation_of

METHODS = {"CAM": (1.0, "hppp"), "Best <i>": (10.0, "hhhp"), "Slow": (100.0, "hhpp"), "FSL": (5.0, "hhhp")}


@pytest.fixture
def jobs(make, tmp_path, images):
    """Return jobs of four methods, the first with two seeds, in folders below one."""
    found = []
    for method, (minutes, letters) in METHODS.items():
        for seed in range(2 if method == "CAM" else 1):
            trials = [
                make.trial(f"{name}.jpg", *(("hit", 0.8) if letter == "h" else ("part", 0.3)))
                for name, letter in zip("abcd", letters, strict=True)
            ]
            percent = 100 * letters.count("h") / 4
            curve = {"x": [0.0, 0.5], "y": [percent + 10 * seed, 5.0], "x_label": "threshold", "y_label": "hits (%)"}
            lines = [make.line("GT-known", percent, 0.2, "chosen on val")]
            content = make.content(
                results=[make.result("localization", lines, curves={"GT-known over threshold": curve})],
                trials=trials, image_root=str(images), baselines={"whole image": [make.result("localization", lines)]},
            )  # fmt: skip
            folder = tmp_path / "out" / "jobs" / f"{method[:3]}-{seed}"
            folder.mkdir(parents=True)
            facts = JobFacts(
                method, "lite0", "birds50", seed, boxes_used=method == "FSL", train_minutes=minutes, folder=folder
            )
            found.append((facts, evaluation_of(content, folder / "results.json")))
    return found


def test_the_page(jobs, tmp_path):
    (tmp_path / "out" / "jobs" / "CAM-1" / "test").mkdir()
    (tmp_path / "out" / "jobs" / "CAM-1" / "test" / "index.html").write_text("its own")
    table = table_of(jobs, missing=[JobFacts("Late", data="birds50")], methods=[])
    paths = write_benchmark(table, tmp_path / "out")
    assert [path.name for path in paths] == ["table.json", "table.md", "table.tex", "table.csv", "index.html"]
    html = paths[-1].read_text("utf-8")
    assert "Best <i>" not in html
    assert "Best &lt;i&gt;" in html
    assert '<a href="jobs/CAM-1/test/index.html">seed 1</a>' in html
    assert "seed 0</a>" not in html
    assert "Late on birds50: it has not run" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    values = re.findall(r'<td data-value="([^"]*)">', body)
    assert values == ["cam", "best &lt;i&gt;", "fsl +boxes", "slow", "late", "whole image"]
    assert 'data-value="25.0"' in body
    assert html.count('<article class="card">') == 3  # one that all miss, two that CAM alone misses
    assert html.count("data:image/jpeg") == 3
    for words in (
        "All of them miss",
        "They disagree",
        "nothing faster is better",
        "Against CAM, the baseline (25.0 GT",
    ):
        assert words in html


def test_quality_stands_over_the_logarithm_of_time(jobs):
    (part,) = table_of(jobs, methods=[]).parts
    svg = str(time_chart(part))
    dots = {name: (float(x), float(y)) for x, y, name in re.findall(
        r'<circle class="dot \w+ c\d" cx="([\d.]+)" cy="([\d.]+)" r="4.5"><title>([^:]*):', svg)}  # fmt: skip
    assert list(dots) == ["CAM", "Best &lt;i&gt;", "FSL +boxes", "Slow"]
    one, ten, hundred = (dots[name][0] for name in ("CAM", "Best &lt;i&gt;", "Slow"))
    assert ten - one == pytest.approx(hundred - ten, abs=0.2)
    assert dots["CAM"][1] > dots["Slow"][1] > dots["Best &lt;i&gt;"][1]
    assert all(LEFT < x < WIDTH and 0 < y < HEIGHT for x, y in dots.values())
    assert '<circle class="dot oracle c7"' in svg  # the ring of boxes
    assert re.findall(r'class="curve c0" d="M([^"]*)"', svg)[0].count("L") == 1  # CAM, then the best
    assert [words for _, words in minute_ticks(math.log10(0.4), math.log10(70))] == [
        "30 s", "1 min", "2 min", "5 min", "10 min", "20 min", "50 min",
    ]  # fmt: skip


def test_a_band_lies_between_the_lowest_and_the_highest_seed():
    x = np.linspace(0, 1, 11)
    curves = [Curve(x, np.full(11, y), "threshold", "hits (%)") for y in (20.0, 60.0, 70.0)]
    band = band_of(curves)
    assert (band.mean[3], band.low[3], band.high[3]) == (50, 20, 70)
    other = band_of([curves[0], Curve(x[::-1], 100 * x, "threshold", "hits (%)")])  # falling, written backwards
    assert other.mean.tolist() == pytest.approx(((20 + 100 * (1 - x)) / 2).tolist())
    many = band_of([Curve(np.arange(1000) / 1000, np.zeros(1000), "threshold", "hits (%)")])
    assert (len(many.x), many.x[0], many.x[-1]) == (101, 0, 0.999)
    svg = str(band_chart({"A": band, "B": band_of(curves[:1])}, ["A"]))
    assert svg.count('class="band') == 1  # one seed has none
    assert '<g class="method m0">' in svg
    assert '<g class="method m1 hidden">' in svg


def test_files_stay_small(make):
    """Fifty methods, three seeds, 702 images."""
    letters = "hp" * 351
    trials = [make.trial(f"{n:03d}.Some_Bird/Some_Bird_{n:04d}_{n}.jpg", "hit" if letter == "h" else "part", 0.5)
              for n, letter in enumerate(letters)]  # fmt: skip
    one = evaluation_of(make.content(trials=trials), "x")
    table = table_of([(JobFacts("CAM", data="d", seed=seed), one) for seed in range(3)], methods=[])
    from wsolkit.report.benchmark.numbers import as_dict

    (part,) = as_dict(table)["parts"]
    assert len(json.dumps(part["rows"][0], indent=1)) < 12_000
    assert len(json.dumps(part["trials"], indent=1)) < 60_000


def test_a_folder_that_cannot_be_written_to_is_named(jobs, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"file/x/table.json cannot be written: .*Choose another folder"):
        write_benchmark(table_of(jobs, methods=[]), tmp_path / "file" / "x")


def test_without_minutes_and_curves_the_rest_is_there(make, tmp_path):
    content = make.content(results=[make.result("PxAP", [make.line("PxAP", 40.0)], curves={})], trials=[])
    table = table_of([(JobFacts("CAM", data="tiles"), evaluation_of(content, "x"))], methods=[])
    html = write_benchmark(table, tmp_path)[-1].read_text("utf-8")
    assert "Quality against time" not in html
    assert 'data-value="40.0"' in html
