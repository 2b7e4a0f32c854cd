"""A folder is asked before anything is written into it."""

import pytest

from wsolkit.errors import ConfigError
from wsolkit.folders import claim_folder, is_untouched
from wsolkit.lock import locked


def claim(folder, lost=None, **options):
    return claim_folder(folder, "boxes", "run.json", lambda _: lost, **options)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_untouched_folders(tmp_path):
    assert is_untouched(tmp_path / "new")
    assert is_untouched(tmp_path)
    (tmp_path / ".run.json.12.part").write_text("{")
    assert is_untouched(tmp_path, "run.json")
    assert not is_untouched(tmp_path)
    (tmp_path / "file").write_text("x")
    assert not is_untouched(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert not is_untouched(tmp_path / "link")


def test_a_claim_leaves_nothing_behind(tmp_path):
    assert claim(tmp_path / "a" / "b") is False
    assert claim(tmp_path) is False
    assert entries(tmp_path) == []


def test_earlier_results_are_lost_only_when_asked(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    assert claim(tmp_path) is True
    with pytest.raises(ConfigError, match="holds boxes of cats. Choose another --to, or add --overwrite; nothing was"):
        claim(tmp_path, lost="boxes of cats", option="--to")
    assert claim(tmp_path, lost="boxes of cats", overwrite=True) is True
    assert entries(tmp_path) == ["run.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_stranger_s_folder_is_refused_also_with_overwrite(overwrite, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(
        ConfigError, match=r"is not empty and holds no boxes of ours \(no run.json\). Choose a new fold"
    ):
        claim(tmp_path, overwrite=overwrite)
    with pytest.raises(ConfigError, match="thesis.tex is a file, but boxes are written to a folder. Choose another"):
        claim(tmp_path / "thesis.tex", overwrite=overwrite)
    (tmp_path / "run.json").write_text("miles")

    def strange(path):
        raise ValueError(path)

    with pytest.raises(ConfigError, match="run.json was not written by me. Choose another --out; nothing was changed"):
        claim_folder(tmp_path, "boxes", "run.json", strange, overwrite, writer="me")
    assert entries(tmp_path) == ["run.json", "thesis.tex"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"cannot be written to: Not a directory. Choose another --out"):
        claim(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "x"


def test_a_link_that_leads_nowhere_is_no_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "link")
    with pytest.raises(ConfigError, match="link is a link that leads nowhere, but boxes are written to a folder"):
        claim(tmp_path / "link")
    with (
        pytest.raises(ConfigError, match="link cannot be written to"),
        locked(tmp_path / "link", "prediction", "--out"),
    ):
        pass
