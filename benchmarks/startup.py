"""How long commands take to start, in seconds of processor time, beside ``python -c "import torch"`` in the same run.

    python benchmarks/startup.py --runs 5

Processor time (user and system) of the whole process, the median of some runs; the commands take turns, so that a busy
machine is busy for all of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WSOLKIT = [sys.executable, "-m", "wsolkit"]
PEER = 'python -c "import torch"'


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the commands by what is printed for them; score maps for one of them are written into ``folder``."""
    (folder / "maps").mkdir()
    np.save(folder / "maps" / "a.npy", np.eye(8, dtype=np.float32))
    (folder / "sizes.csv").write_text("a,16,16\n")
    given = [
        "--help",
        "list",
        "list losses",
        "list --json",
        "show CAM",
        "show CAMHead",
        "show BoxExtractor",
        "show TimmBackbone",
        "train nope",
        "show CUB200",
        "show EpochLoop",
        "train cam_resnet50_cub --cfg-options model.hed=1",
        "train cam_resnet50_cub --cfg-options model.head.type=CAMHed",
        "train cam_resnet50_cub --cfg-options model.precision=bf17",
        "train cam_resnet50_cub --cfg-options train_dataloader.dataset.type=CUB201",
        "test cam_synthetic nowhere.pth",
        "predict cam_synthetic nowhere.pth photos --out found",
        "boxes --maps maps --sizes sizes.csv --classes cat --out boxes --overwrite",
    ]
    return {PEER: [sys.executable, "-c", "import torch"]} | {
        f"wsolkit {each}": [*WSOLKIT, *each.split()] for each in given
    }


def processor_seconds(command: list[str], folder: Path) -> float:
    """Run a command and return the processor time it took."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0  # it was waited for above
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Time all commands and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (default: 5)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every = commands(folder)
        times: dict[str, list[float]] = {each: [] for each in every}
        for _ in range(runs):
            for each, command in every.items():
                times[each].append(processor_seconds(command, folder))
    peer = statistics.median(times[PEER])
    print(f"{'seconds':>8} {'of torch':>8}  command (median of {runs})")
    for each, found in times.items():
        print(f"{statistics.median(found):8.2f} {statistics.median(found) / peer:8.2f}  {each}")


if __name__ == "__main__":
    main()
