"""Every shipped configuration resolves to its JSON in tests/snapshots/configs: a rewrite changes nothing unseen.

After a change that is meant, write the snapshots anew and read what changed before committing it:

    python tests/test_config_snapshot.py --write
    git diff tests/snapshots/configs

A snapshot holds what is read of a configuration, with the environment variables WSOLKIT_* unset: of a training the
settings, of a pipeline its stages and its folder. Variables that only the file itself reads are left out.
"""

import json
import os
import sys
from pathlib import Path
from unittest import mock

import pytest

from wsolkit.config.check import TOP
from wsolkit.config.load import load_config
from wsolkit.pipeline.pipeline_config import read_pipeline

CONFIGS = Path(__file__).parents[1] / "configs"
SNAPSHOTS = Path(__file__).with_name("snapshots") / "configs"
FILES = {path.stem: path for path in sorted(CONFIGS.rglob("*.py")) if path.parent.name not in ("_base_", "benchmarks")}
VARIANTS = [
    "psol_maps data=birds50 maps=c2am",
    "psol_maps data=birds50 maps=ccnn",
    "psol_maps data=cub maps=ccnn",
    "psol_maps data=ilsvrc maps=c2am",
    "psol_maps data=cub maps=ccnn moco=moco.pth.tar",
    "psol_ddt data=birds50",
    "wsss_voc maps=ccnn",
    "wsss_mobilenetv2_voc maps=ccnn",
]
"""Pipelines with values of their variables, as on a command line: the name, then KEY=VALUE."""

CASES = [*FILES, *VARIANTS]
WIDTH = 120


def resolved(case):
    """Return what is read of a configuration, as plain data."""
    name, *values = case.split()
    with mock.patch.dict(os.environ):
        for variable in [variable for variable in os.environ if variable.startswith("WSOLKIT_")]:
            del os.environ[variable]
        if "\nstages = " in FILES[name].read_text(encoding="utf-8"):
            content = read_pipeline(name, dict(value.split("=") for value in values))
            return {"stages": content["stages"], "work_dir": content.get("work_dir") or f"work_dirs/{name}"}
        return {key: value for key, value in load_config(name).to_dict().items() if key in TOP}


def written(value, margin=""):
    """Return data as JSON: on one line where that fits, so that a difference is one line and a file is short.

    >>> print(written({"b": [1, 2], "a": ["word " * 12, "word " * 12]}))
    {
     "a": [
      "word word word word word word word word word word word word ",
      "word word word word word word word word word word word word "
     ],
     "b": [1, 2]
    }
    """
    line = json.dumps(value, sort_keys=True, allow_nan=False)
    inner = f"{margin} "
    if len(margin) + len(line) <= WIDTH or not value or not isinstance(value, (dict, list, tuple)):
        return line
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {written(value[key], inner)}" for key in sorted(value)]
        return "{\n" + ",\n".join(parts) + f"\n{margin}}}"
    return "[\n" + ",\n".join(inner + written(item, inner) for item in value) + f"\n{margin}]"


def snapshot(case):
    """Return the file that holds the snapshot of a case."""
    return SNAPSHOTS / f"{case}.json"


@pytest.mark.parametrize("case", CASES)
def test_a_configuration_resolves_to_its_snapshot(case):
    assert snapshot(case).is_file(), f"{case} has no snapshot: run python {Path(__file__).name} --write"
    found = json.loads(written(resolved(case)))
    assert found == json.loads(snapshot(case).read_text(encoding="utf-8"))


def test_every_snapshot_belongs_to_a_configuration():
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(CASES)


def test_no_path_of_this_machine_is_in_a_snapshot():
    found = [path.name for path in SNAPSHOTS.iterdir() if str(CONFIGS.parent) in path.read_text(encoding="utf-8")]
    assert not found


def write():
    """Write all snapshots anew and remove those whose configuration is gone."""
    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    for path in SNAPSHOTS.iterdir():
        if path.stem not in CASES:
            path.unlink()
    for case in CASES:
        snapshot(case).write_text(written(resolved(case)) + "\n", encoding="utf-8")
    print(f"{len(CASES)} snapshots in {SNAPSHOTS}. Read git diff before you commit them.")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"Tests run with pytest. To write the snapshots anew: python {sys.argv[0]} --write")
    write()
