"""wsolkit compare: what is printed and written, and words for mistakes."""

import json
import shutil

import pytest

from wsolkit.cli.main import main


def content(name, percent, outcomes, **changes):
    line = {"name": "MaxBoxAcc@50", "percent": percent, "low": percent - 4, "high": percent + 4, "n": len(outcomes),
            "macro": None, "interval": "Wilson", "threshold": 0.2, "selection": "fixed"}  # fmt: skip
    trials = [
        {"image_id": f"{number}.jpg", "label": 0, "box": [0, 0, 1, 1], "truth": [[0, 0, 1, 1]], "iou": 0.5,
         "outcome": "hit" if letter == "h" else "more", "right_class": None}
        for number, letter in enumerate(outcomes)
    ]  # fmt: skip
    result = {"metric": "MaxBoxAcc", "conventions": {"box source": "largest"}, "lines": [line], "curves": {}}
    return {"name": name, "split": "test", "images": len(outcomes), "results": [result], "trials": trials} | changes


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Write two runs and return their folders."""
    monkeypatch.setenv("COLUMNS", "160")
    found = []
    for name, percent, outcomes in (("A", 20.0, "hppppppppp"), ("[b]B", 70.0, "hhhhhhhppp")):
        folder = tmp_path / f"run{len(found)}"
        folder.mkdir()
        (folder / "results.json").write_text(json.dumps(content(name, percent, outcomes)))
        found.append(str(folder))
    return found


def test_the_tables(runs, capsys):
    assert main(["compare", *runs]) == 0
    out = capsys.readouterr().out
    assert "MaxBoxAcc@50" in out
    assert "[b]B" in out
    assert "66.0 - 74.0" in out
    row = next(line for line in out.splitlines() if "[b]B" in line and "10" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[:4] == ["[b]B", "10", "0", "6"]
    assert cells[4].startswith("+60.00 [+")
    assert cells[5:] == ["0.031", "0.031"]
    assert "Not the same" not in out


def test_names_of_numbers_are_whole_in_a_narrow_terminal(runs, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["compare", *runs, *runs]) == 0
    out = capsys.readouterr().out
    assert "MaxBoxAcc@50" in out
    assert "…" not in out.partition("against")[0]
    assert max(map(len, out.splitlines())) <= 60


def test_files_are_written_on_demand(runs, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["compare", *runs, "--names", "first", "second", "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"compare.html", "compare.json", "table.md"}
    assert str(out / "compare.html") in capsys.readouterr().out
    assert [run["name"] for run in json.loads((out / "compare.json").read_text())["runs"]] == ["first", "second"]
    assert (out / "table.md").read_text().startswith("| | first | second |")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_comparison_is_not_replaced_in_silence(runs, tmp_path, capsys):
    third = tmp_path / "third"
    third.mkdir()
    (third / "results.json").write_text(json.dumps(content("C", 30.0, "hppppppppp")))
    out = tmp_path / "out"
    assert main(["compare", *runs, "--out", str(out)]) == 0
    before = contents(out)
    capsys.readouterr()
    for others in ([runs[0], str(third)], [*runs, str(third)], [runs[0], runs[0]]):
        assert main(["compare", *others, "--out", str(out)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        earlier = f"{runs[0]}/results.json, {runs[1]}/results.json"
        assert f"{out} holds a comparison of other runs ({earlier})" in captured.err
        assert "Choose another --out, or add --overwrite; nothing was changed." in captured.err
        assert contents(out) == before
    assert main(["compare", runs[0], str(third), "--out", str(out), "--overwrite"]) == 0
    assert [run["name"] for run in json.loads((out / "compare.json").read_text())["runs"]] == ["A", "C"]
    assert "[b]B" not in (out / "compare.html").read_text()


def test_the_same_runs_may_be_compared_again(runs, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    assert main(["compare", *runs, "--out", str(out)]) == 0
    assert main(["compare", *runs[::-1], "--names", "x", "y", "--out", str(out)]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "run0/results.json", "run1", "--names", "x", "z", "--out", "out"]) == 0
    assert [run["name"] for run in json.loads((out / "compare.json").read_text())["runs"]] == ["x", "z"]


def test_equal_relative_paths_of_another_place_are_other_runs(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "run0", "run1", "--out", str(tmp_path / "out")]) == 0
    for name in ("run0", "run1"):
        (tmp_path / "elsewhere" / name).mkdir(parents=True)
        (tmp_path / "elsewhere" / name / "results.json").write_text(json.dumps(content(name, 30.0, "hp")))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["compare", "run0", "run1", "--out", str(tmp_path / "out")]) == 2
    assert "holds a comparison of other runs" in capsys.readouterr().err


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("notes.txt", "mine", "is not empty and holds no comparisons of ours (no compare.json). Choose a new folder"),
        ("compare.json", "no JSON", "compare.json was not written by wsolkit compare. Choose another --out"),
        ("compare.json", '{"runs": [1, 2]}', "compare.json was not written by wsolkit compare."),
        (
            "compare.json",
            '{"runs": [1], "numbers": [], "against_first": []}',
            "compare.json was not written by wsolkit",
        ),
        ("compare.json", '{"runs": [{"path": "\\u0000"}], "numbers": 1, "against_first": 1}', "compare.json was not"),
        ("compare.json", '{"runs": [{"path": 1}], "numbers": 1, "against_first": 1}', "compare.json was not written"),
        ("compare.json", '{"runs": 3, "numbers": [], "against_first": []}', "compare.json was not written by wsolkit"),
        ("compare.json", "[]", "compare.json was not written by wsolkit compare."),
    ],
)
def test_a_folder_of_something_else_is_left_alone(runs, tmp_path, capsys, name, text, words, overwrite):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text(text)
    assert main(["compare", *runs, "--out", str(out), *overwrite]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert words in captured.err
    assert captured.out == ""
    assert contents(out) == {name: text.encode()}


def test_an_empty_folder_is_written_to(runs, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert main(["compare", *runs, "--out", str(tmp_path / "out")]) == 0
    assert len(contents(tmp_path / "out")) == 3


def test_a_name_of_no_utf_8_is_written_escaped(runs, tmp_path, capsys):
    assert main(["compare", *runs, "--names", "caf\udce9", "x", "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "compare.json").read_text())["runs"][0]["name"] == "caf\udce9"
    assert "caf\\udce9" in (tmp_path / "out" / "table.md").read_text()


def test_nothing_is_written_without_out(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["compare", *runs]) == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_runs_of_one_name_are_called_by_their_folders(runs, tmp_path, capsys):
    places = [tmp_path / "cam_0" / "test", tmp_path / "gradcam_0"]
    for place in places:
        shutil.copytree(runs[0], place)
    assert main(["compare", *map(str, places)]) == 0
    said = capsys.readouterr().out
    assert "against cam_0" in said
    assert "gradcam_0" in said


def test_runs_of_one_name_are_numbered(runs, capsys):
    assert main(["compare", runs[0], runs[0], runs[0]]) == 0
    out = capsys.readouterr().out
    assert "A (2)" in out
    assert "A (3)" in out


def test_what_differs_is_printed(runs, tmp_path, capsys):
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content("C", 30.0, "hppppppppp", split="val")))
    assert main(["compare", runs[0], str(other)]) == 0
    out = capsys.readouterr().out
    assert "Not the same in all runs" in out
    assert 'split: "test" (A), "val" (C)' in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{0}"], "A comparison needs two runs or more, but got 1."),
        (["{0}", "nowhere"], "Run nowhere cannot be opened"),
        (["{0}", "{1}", "--names", "x"], "--names should have a name for each of the 2 runs, but got 1."),
        (["{0}", "{1}", "--names", "x", "x"], "Two runs are called 'x'."),
        (["{0}", "{1}", "--metric", "MaxBoxAc"], "Did you mean 'MaxBoxAcc'"),
        (["{0}", "{1}", "--images", "nowhere"], "--images should be the folder of the images, but there is no folder"),
        (["{0}", "{1}", "--out", "{0}/results.json"], "is a file, but comparisons are written to a folder."),
    ],
)
def test_mistakes_are_explained(runs, capsys, arguments, words):
    assert main(["compare", *(each.format(*runs) for each in arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert words in captured.err
    assert captured.out == ""


def test_trivial_baselines_have_columns(runs, tmp_path, capsys):
    """In the table, in Markdown and in JSON, behind the runs."""
    with_blob = tmp_path / "blob.json"
    result = content("", 44.0, "hp")["results"]
    with_blob.write_text(json.dumps(content("C", 30.0, "hppppppppp", baselines={"centred blob": result})))
    assert main(["compare", runs[0], str(with_blob), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if "MaxBoxAcc@50" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["MaxBoxAcc@50", "20.0", "30.0", "44.0"]
    assert "centred blob" in printed
    table = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert table[0] == "| | A | C | centred blob |"
    assert table[2].endswith(r"| 44.0 \[40.0, 48.0\] |")
    numbers = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert numbers["baselines"] == ["centred blob"]
    assert [each["percent"] for each in numbers["numbers"][0]["baselines"]] == [44.0]


def test_results_below_a_folder_are_named(runs, tmp_path, capsys):
    assert main(["compare", runs[0], str(tmp_path)]) == 2
    assert "There are results in run0, run1 below it. Name one of these folders." in capsys.readouterr().err


def test_a_note_needs_a_page(runs, tmp_path, capsys):
    assert main(["compare", *runs, "--note", "CAM sees parts"]) == 2
    assert (
        "--note stands at the top of the page. Say where it is to be written with --out DIR." in capsys.readouterr().err
    )
    assert main(["compare", *runs, "--note", "CAM sees parts", "--out", str(tmp_path / "out")]) == 0
    assert "<p>CAM sees parts</p>" in (tmp_path / "out" / "compare.html").read_text("utf-8")
