"""Several processes of this machine at one benchmark: each is the same command, and takes the jobs that are free."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["run_workers"]

LOGS = "logs"


def run_workers(
    arguments: Sequence[str], count: int, out: Path, tell: Callable[[str], None], processes: int = 1
) -> None:
    """Run a command in several processes and wait for their end; each writes what it says to a file of its own.

    The processor's cores and the GPUs are shared out among them, the GPUs unless the command names one of them. What a
    process that was killed has left undone is left to the caller.

    Args:
        arguments: those of ``wsolkit``.
        count: how many processes.
        out: folder of the benchmark.
        tell: given a line at the begin, at the end, and for each process that ended otherwise than well.
        processes: how many each of them starts for a training, with a GPU each.
    """
    (out / LOGS).mkdir(parents=True, exist_ok=True)
    paths = [out / LOGS / f"process_{number + 1}.log" for number in range(count)]
    tell(f"{count} processes work on it; {out / LOGS} holds what each says.")
    devices = 0 if names_gpu(arguments) else gpus()
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, path in enumerate(paths):
            with path.open("wb") as log:
                command = [sys.executable, "-m", "wsolkit", *arguments]
                environment = environment_of(number, count, dict(os.environ), devices, processes)
                running.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment))
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
        for process in running:
            process.wait()
    for number, (code, path) in enumerate(zip(codes, paths, strict=True), 1):
        if code:
            tell(f"Process {number} ended with exit status {code}; {path} says why. What is left undone is done here.")
    tell("All processes have come to their end.")


def names_gpu(arguments: Sequence[str]) -> bool:
    """Whether a command asks for one GPU by its number, which a process that sees but one does not know.

    >>> names_gpu(["benchmark", "x", "--device=cuda:1"]), names_gpu(["benchmark", "x:1", "--device=cuda"])
    (True, False)
    """
    return any(each.startswith("--device=") and ":" in each for each in arguments)


def gpus() -> int:
    """Return how many GPUs there are."""
    import torch

    return torch.cuda.device_count()


def environment_of(
    number: int, count: int, environment: dict[str, str], devices: int, processes: int = 1
) -> dict[str, str]:
    """Return the environment of one of several processes: its share of the cores, and its GPUs, by default one.

    >>> environment_of(1, 4, {"OMP_NUM_THREADS": "2"}, 2)
    {'OMP_NUM_THREADS': '2', 'CUDA_VISIBLE_DEVICES': '1'}
    >>> environment_of(1, 4, {"OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "5,7"}, 2)["CUDA_VISIBLE_DEVICES"]
    '7'
    >>> environment_of(1, 2, {}, 4, processes=2)["CUDA_VISIBLE_DEVICES"]
    '2,3'
    """
    found = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // count)), **environment}
    if devices > 1:
        given = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
        names = given if len(given) == devices else [str(each) for each in range(devices)]
        mine = [names[(number * processes + each) % devices] for each in range(min(processes, devices))]
        found["CUDA_VISIBLE_DEVICES"] = ",".join(mine)
    return found
