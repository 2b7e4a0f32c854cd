"""The folder of results is checked before anything is computed, and left as it was."""

import pytest

from wsolkit.errors import ConfigError
from wsolkit.report import page
from wsolkit.report.evaluation_file import PAGE, prepare_folder, write_results_file


def test_the_probe_leaves_nothing(tmp_path):
    assert prepare_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    prepare_folder(tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"cannot be written to: Not a directory. Choose another --out"):
        prepare_folder(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "x"


def test_a_page_that_cannot_be_removed_stops_the_writing(tmp_path):
    assert PAGE == page.PAGE
    (tmp_path / PAGE).mkdir()
    with pytest.raises(ConfigError, match=r"index.html, the page of earlier results, cannot be removed.*not changed"):
        write_results_file(tmp_path, {})
    assert not (tmp_path / "results.json").exists()
