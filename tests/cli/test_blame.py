"""A part's own exception is told with the part's name and keeps its traceback; a missing library with pip's command."""

import sys
import textwrap

import pytest

from tests.support import micro
from wsolkit.cli.main import main

PARTS = '''
from wsolkit import BoxExtractor, Loss
from wsolkit.registry import BOX_EXTRACTORS, LOSSES


@LOSSES.register_module(force=True)
class Torn(Loss):
    """Fails where it is told to."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at
        if at == "build":
            raise ZeroDivisionError("mine")

    def forward(self, activation, batch):
        return 1 / 0 if self.at == "loss" else activation.logits.sum()


@BOX_EXTRACTORS.register_module(force=True)
class TornBoxes(BoxExtractor):
    """Fails at every map."""

    def __call__(self, score_map, features=None):
        return [][1]
'''


@pytest.fixture
def torn(tmp_path, monkeypatch):
    (tmp_path / "torn_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(changes):
        text = f"_base_ = {str(micro.CONFIG)!r}\ncustom_imports = dict(imports=['tests.support.micro', 'torn_parts'])\n"
        (tmp_path / "torn.py").write_text(text + textwrap.dedent(changes))
        return main(["train", str(tmp_path / "torn.py"), "--work-dir", str(tmp_path / "work")])

    yield run
    sys.modules.pop("torn_parts", None)


@pytest.mark.parametrize(
    ("changes", "error", "part"),
    [
        ("model = dict(losses=[dict(type='Torn', at='build')])", ZeroDivisionError, "loss Torn"),
        ("model = dict(losses=[dict(type='Torn', at='loss')])", ZeroDivisionError, "loss Torn"),
        ("model = dict(box_extractor=dict(type='TornBoxes'))", IndexError, "box extractor TornBoxes"),
    ],
    ids=["build", "loss", "extract"],
)
def test_the_part_is_named_and_its_traceback_kept(changes, error, part, torn, capsys):
    with pytest.raises(error) as caught:
        torn(changes)
    assert f"It arose in {part} of torn_parts. Please report it with the lines below." in capsys.readouterr().err
    assert any("torn_parts.py" in str(entry.path) for entry in caught.traceback)


def test_a_missing_library_is_named_with_the_command_that_installs_it(torn, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr("wsolkit.cli.blame.find_spec", lambda _: None)
    assert torn("visualizer = dict(type='Visualizer', vis_backends=[dict(type='WandbVisBackend')])") == 2
    said = capsys.readouterr().err
    assert "WandbVisBackend of mmengine.visualization.vis_backend needs wandb, which is not installed." in said
    assert said.strip().endswith("pip install wandb")
    assert "Traceback" not in said
    assert not (tmp_path / "work").exists()
