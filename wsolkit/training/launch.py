"""A training in several processes, started by torchrun from a process that goes on when they are done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wsolkit.config.load import load_config
from wsolkit.config.stored import NotPlainError, plain
from wsolkit.errors import ConfigError, WsolkitError
from wsolkit.files import write_json
from wsolkit.interrupts import exit_code, mind_no_lost_children, terminations
from wsolkit.lock import held_by_parent, locked
from wsolkit.training.train import Training, outcome, train

__all__ = ["shared_batch", "train_in_processes"]

LOG = "processes.log"
BATCH = "train_dataloader.batch_size"
PATIENCE = 60.0
"""Seconds that processes have to end after they were asked to."""


def train_in_processes(
    config: str, options: Mapping[str, Any], folder: Path, resume: bool, seed: int | None, processes: int
) -> Training:
    """Train as ``train`` does, in several processes of this machine that torchrun starts.

    Each takes its share of every batch, on a GPU of its own where there are as many. What they say on stderr is kept in
    ``processes.log`` in the folder.

    Args:
        config: name or path of a configuration.
        options: entries of it to change, by dotted name; plain values.
        folder: the work folder.
        resume: go on from its ``last.pth``.
        seed: seed of everything random; as the configuration says by default.
        processes: how many.

    Returns:
        Where the results are.

    Raises:
        ConfigError: the batch cannot be shared out, or an option is no plain value.
        WsolkitError: a process failed; in its words.
    """
    folder = folder.absolute()
    options = {**options, BATCH: shared_batch(load_config(config, options), processes)}
    try:
        asked = plain({"config": config, "options": options, "folder": str(folder), "resume": resume, "seed": seed})
    except NotPlainError as error:
        raise ConfigError(
            f"A training in {processes} processes takes plain options: text, numbers, lists and dictionaries. {error}."
        ) from None
    with locked(folder, "training"), TemporaryDirectory(prefix="wsolkit-launch-") as scratch:
        write_json(Path(scratch) / "asked.json", asked)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        code = status_of([*command, "-m", __name__, scratch], folder / LOG, processes)
        words = first_words(Path(scratch))
    if words:
        raise WsolkitError(words)
    if code:
        raise WsolkitError(
            f"The training in {folder} ended with exit status {code} in one of its {processes} processes; "
            f"{folder / LOG} says why."
        )
    return outcome(folder)


def shared_batch(config: Mapping[str, Any], processes: int) -> int:
    """Return how many images of a batch each process takes.

    Raises:
        ConfigError: a sampler of its own makes the batches, or they cannot be shared out evenly.

    >>> shared_batch({"train_dataloader": {"batch_size": 32}}, 4)
    8
    """
    loader = config.get("train_dataloader") or {}
    size = loader.get("batch_size")
    if loader.get("batch_sampler") or size is None:
        raise ConfigError(
            f"processes={processes} shares out the batches of train_dataloader.batch_size, but this configuration "
            f"has {'a batch_sampler' if loader.get('batch_sampler') else 'none'}. Train it in one process."
        )
    if size % processes:
        raise ConfigError(
            f"processes={processes} does not share {size} images of a batch out evenly. Give it a number that divides "
            f"{BATCH}, or change that."
        )
    return int(size) // processes


def status_of(command: list[str], log: Path, processes: int) -> int:
    """Run a command to its end and return its exit status; it is ended with this process."""
    cores = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    environment = {**os.environ, "OMP_NUM_THREADS": str(max(1, cores // processes))}
    with log.open("ab") as file:
        running = subprocess.Popen(command, env=environment, stderr=file)
        try:
            return running.wait()
        finally:
            if running.poll() is None:
                running.terminate()
                try:
                    running.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    running.kill()
                    running.wait()


def first_words(scratch: Path) -> str:
    """Return what the process said that failed first; nothing where none has said anything."""
    said = [json.loads(path.read_text(encoding="utf-8")) for path in scratch.glob("failed_*.json")]
    return str(min(said, key=lambda each: float(each["at"]))["words"]) if said else ""


def one_process(scratch: Path) -> int:
    """Train as one of several processes, as the file ``asked.json`` in a folder says; returns the exit status."""
    asked = json.loads((scratch / "asked.json").read_text(encoding="utf-8"))
    folder = Path(asked["folder"])
    try:
        with terminations(), held_by_parent(folder):
            config = load_config(asked["config"], asked["options"])
            train(config, folder, resume=asked["resume"], seed=asked["seed"], launcher="pytorch")
    except WsolkitError as error:
        write_json(scratch / f"failed_{os.environ.get('RANK', '0')}.json", {"words": str(error), "at": time.time()})
        return 2
    except KeyboardInterrupt as stop:
        mind_no_lost_children()
        return exit_code(stop)
    return 0


if __name__ == "__main__":
    sys.exit(one_process(Path(sys.argv[1])))
