"""Two processes give the numbers of one, to the last bit, also where the images cannot be dealt evenly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("run_score_model.py")


@pytest.mark.slow
def test_two_gloo_processes_equal_one(tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    found = {}
    for name, command, launcher in (("one", [sys.executable], "none"), ("two", torchrun, "pytorch")):
        out = tmp_path / f"{name}.json"
        run = subprocess.run(
            [*command, str(SCRIPT), str(out), launcher],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        found[name] = json.loads(out.read_text())
    assert found["one"]["images"] == 21  # 11 and 11: one image is seen twice and counts once
    names = [result["metric"] for result in found["one"]["results"]]
    assert names[:4] == ["accuracy", "localization", "MaxBoxAcc", "MaxBoxAccV2"]
    assert len(found["one"]["baselines"]) == 4
    assert len(found["one"]["trials"]) == 21
    assert set(found["one"]["mmengine"]) >= {"GT-known", "MaxBoxAccV2/MaxBoxAccV2", "top1"}
    assert found["two"] == found["one"]
