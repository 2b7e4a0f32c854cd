"""The numbers in RESULTS.md and in the cards are those of the result files in benchmarks/results."""

import importlib.util
import json
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "results.py"
ROWS = {"GT-known": {"mean": 63.14, "low": 59.52, "high": 66.55}}
OTHER = {"name": "CAM", "difference": 3.56, "low": 1.79, "high": 5.33, "p_holm": 0.0004, "better": True, "worse": False,
         "seeds": 1}  # fmt: skip
CONTENT = {
    "baseline": "CAM",
    "parts": [
        {
            "data": "birds50",
            "split": "test",
            "images": 702,
            "columns": [{"title": "GT-known"}, {"title": "seconds"}],
            "rows": [
                {"name": "CAM", "trivial": False, "boxes": False, "numbers": ROWS, "seeds": [{}, {}], "against": {}},
                {
                    "name": "ADL",
                    "trivial": False,
                    "boxes": False,
                    "numbers": {"GT-known": {"mean": 66.7, "low": None, "high": None}},
                    "seeds": [{}],
                    "against": {"baseline": OTHER},
                    "curves": {"long": "0 1 2"},
                },
                {
                    "name": "blob",
                    "trivial": True,
                    "boxes": False,
                    "numbers": {"GT-known": {"mean": 55.7, "low": 52.0, "high": 59.3}},
                    "seeds": [],
                    "against": {},
                },
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("results_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(tmp_path):
    (tmp_path / "birds.json").write_text(json.dumps(CONTENT))
    (tmp_path / "birds.md").write_text(
        "| | GT-known |\n|---|--:|\n| CAM | **63.1** |\n| ADL | 66.7 |\n| blob | 55.7 |\n"
    )
    return tmp_path


def test_every_text_says_what_the_result_files_say(tool, capsys):
    assert tool.main(["--check"]) == 0, capsys.readouterr().err


def test_a_card_shows_its_method_beside_the_baseline_and_a_trivial_box(tool, results):
    text = "before\n<!-- results: birds | ADL -->\nold\n<!-- end of results -->\nafter\n"
    assert tool.filled(text, results).splitlines() == [
        "before",
        "<!-- results: birds | ADL -->",
        "",
        "`wsolkit benchmark birds`: 702 images of birds50's test split, thresholds from val; percent, with 95 % "
        "intervals.",
        "",
        "| | seeds | GT-known |",
        "|---|--:|--:|",
        "| ADL | 1 | 66.7 |",
        r"| CAM | 2 | 63.1 \[59.5, 66.5\] |",
        r"| blob |  | 55.7 \[52.0, 59.3\] |",
        "",
        r"- ADL against CAM: +3.6 \[+1.8, +5.3\] points, p < .001 (Holm, all methods of the table), 1 seed: better.",
        "",
        "<!-- end of results -->",
        "after",
    ]
    assert tool.filled(tool.filled(text, results), results) == tool.filled(text, results)


def test_the_whole_table_is_the_benchmarks_own(tool, results):
    found = tool.filled("<!-- results: birds -->\n<!-- end of results -->\n", results)
    assert "| CAM | **63.1** |" in found


@pytest.mark.parametrize("asked", ["fish", "birds | ADH"])
def test_a_result_that_is_not_there_is_named(tool, results, asked):
    with pytest.raises(ValueError, match=r"no method ADH; it has CAM, ADL, blob|--run fish makes it"):
        tool.filled(f"<!-- results: {asked} -->\n<!-- end of results -->\n", results)


def test_a_number_that_was_changed_by_hand_is_found(tool, results):
    assert tool.differing_cells("birds", results) == []
    text = (results / "birds.md").read_text()
    (results / "birds.md").write_text(text.replace("66.7", "67.7"))
    assert tool.differing_cells("birds", results) == ["birds.md: ADL"]


def test_kept_files_have_no_single_images(tool):
    assert "curves" not in json.dumps(tool.kept(CONTENT))
    assert tool.kept({"value": 0.123456}) == {"value": 0.1235}
    assert tool.kept({"value": 18.7499999}) == {"value": 18.7499999}  # 18.7 in the table, 18.8 with four decimals
