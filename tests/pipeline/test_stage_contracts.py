"""What every registered stage promises: it is stale when its configuration or the files it reads have changed."""

import inspect

import pytest

from wsolkit import ConfigError, Stage, load_plugins
from wsolkit.pipeline import plan_pipeline
from wsolkit.pipeline.predict_stage import Predict

STAGES = sorted(
    {c.cls for c in load_plugins().components.values() if issubclass(c.cls, Stage)}, key=lambda c: c.__name__
)
CONFIGS = ("config", "classifier", "regressor", "data")
READ = ("maps", "cams", "masks", "checkpoint", "classifier_checkpoint", "regressor_checkpoint")
READERS = [
    (cls, name)
    for cls in STAGES
    for name in READ
    if name in inspect.signature(cls).parameters and (cls is not Predict or name not in ("maps", "masks"))  # switches
]
SPLIT = [cls for cls in STAGES if "split" in inspect.signature(cls).parameters]
SOURCE = """
_base_ = ["wsolkit::wsss_foreground_synthetic"]
seen = dict(num_images={count})
test_dataloader = dict(dataset=seen)
train_dataloader = dict(dataset=seen)
"""


def planned(cls, folder, **changed):
    """Return the step of a pipeline of one stage whose arguments are all outside it."""
    parameters = inspect.signature(cls).parameters
    given = {name: str(folder / "config.py") for name in CONFIGS if name in parameters}
    given |= {name: str(folder / name) for name in READ if name in parameters}
    given |= {"sources": [str(folder / "maps")], "maps": True, "masks": False} if cls is Predict else {}
    given |= {"threshold": 0.5} if cls.__name__ == "PseudoBoxes" else {}
    given |= {"background": "constant", "bg_threshold": 0.3} if cls.__name__ == "PseudoMasks" else {}
    stage = {"name": "one", "type": cls.__name__, **given, **changed}
    return plan_pipeline("trial", [stage], folder / "work").steps[0]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.py").write_text(SOURCE.format(count=4))
    for name in READ:
        place = tmp_path / name
        if "checkpoint" in name:
            place.write_bytes(b"weights")
        else:
            place.mkdir()
            (place / "a.npz").write_bytes(b"map")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("cls", STAGES, ids=lambda cls: cls.__name__)
def test_another_configuration_makes_a_stage_stale(cls, folder):
    before = planned(cls, folder).declaration.fingerprint
    assert planned(cls, folder).declaration.fingerprint == before
    (folder / "config.py").write_text(SOURCE.format(count=5))
    assert planned(cls, folder).declaration.fingerprint != before


@pytest.mark.parametrize(("cls", "argument"), READERS, ids=[f"{cls.__name__}-{name}" for cls, name in READERS])
def test_another_file_makes_a_stage_stale(cls, argument, folder):
    before = planned(cls, folder).declaration.fingerprint
    place = folder / argument
    (place / "a.npz" if place.is_dir() else place).write_bytes(b"others")
    assert planned(cls, folder).declaration.fingerprint != before
    with pytest.raises(ConfigError, match="there is no such file"):
        planned(cls, folder, **{argument: str(folder / "nowhere")})


@pytest.mark.parametrize("cls", SPLIT, ids=lambda cls: cls.__name__)
def test_an_unknown_split_is_refused_before_anything_runs(cls, folder):
    with pytest.raises(ConfigError, match="tset"):
        planned(cls, folder, split="tset")
