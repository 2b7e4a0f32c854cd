"""Two processes give the numbers of one, to the last bit, also where the images cannot be dealt evenly."""

import json
import os
import subprocess
import sys

import pytest
import torch

from tests.scoring import run_score_model


@pytest.mark.slow
def test_two_gloo_processes_equal_one(tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the others: sums depend on how many share them
    try:
        run_score_model.main(tmp_path / "one.json", "none")
    finally:
        torch.set_num_threads(threads)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    run = subprocess.run(
        [*command, run_score_model.__file__, tmp_path / "two.json", "pytorch"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two")}
    assert found["one"]["images"] == 21  # 11 and 11: one image is seen twice and counts once
    names = [result["metric"] for result in found["one"]["results"]]
    assert names[:4] == ["accuracy", "localization", "MaxBoxAcc", "MaxBoxAccV2"]
    assert len(found["one"]["baselines"]) == 4
    assert len(found["one"]["trials"]) == 21
    assert set(found["one"]["mmengine"]) >= {"GT-known", "MaxBoxAccV2/MaxBoxAccV2", "top1"}
    assert found["two"] == found["one"]
