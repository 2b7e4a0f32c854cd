"""Stages that do next to nothing, and processes that are killed while they do it."""

import os
import random
from pathlib import Path

import numpy as np
import torch

from tests.support import micro
from wsolkit import ConfigError, DataError, Stage, load_plugins
from wsolkit.files import write_text
from wsolkit.pipeline import load_pipeline, plan_pipeline, run_pipeline
from wsolkit.pipeline.states import states_of
from wsolkit.registry import STAGES
from wsolkit.training.loops import EpochLoop

LOG = "WSOLKIT_TEST_LOG"
load_plugins()


def note(text):
    """Append a line to the log."""
    if LOG in os.environ:
        with Path(os.environ[LOG]).open("a") as file:
            file.write(text + "\n")


def run(pipeline, **options):
    """Run a pipeline without a word."""
    return run_pipeline(pipeline, **{"tell": lambda _: None, **options})


def kinds(pipeline):
    """Return the state of each stage."""
    return [state.kind for state in states_of(pipeline.steps)]


def files(folder):
    """Every file of a work folder but the records, which hold times, and the lock."""
    hidden = {"stage.json"}
    found = [path for path in Path(folder).rglob("*") if path.is_file() and path.name not in hidden]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def stage(name, kind="Say", **arguments):
    return {"name": name, "type": kind, **arguments}


@STAGES.register_module(name="Say", force=True)
class Say(Stage):
    """Writes ``count`` files, each with a text and a random number; skips what is there."""

    def __init__(self, text="", count=3, files=(), declared=None, options=None) -> None:
        if count < 1:
            raise ConfigError(f"count should be 1 or more, but got {count}.")
        self.text = text
        self.count = count
        self.files = list(files)
        self.declared = declared
        self.options = options

    def run(self, folder, resume):
        left = [number for number in range(self.count) if not (folder / f"{number}.txt").exists()]
        note(f"{folder.name} {'again' if resume else 'fresh'} {len(left)}")
        draws = [random.random() + float(np.random.rand()) + float(torch.rand(())) for _ in range(self.count)]  # noqa: NPY002
        for number in left:
            write_text(folder / f"{number}.txt", f"{self.text} {draws[number]}")
        return {"files": self.count}

    def inputs(self):
        return [Path(path) for path in self.files]

    def declares(self):
        return {} if self.declared is None else {"declared": self.declared}


@STAGES.register_module(force=True)
class Copy(Stage):
    """Joins what earlier stages wrote, in one file."""

    def __init__(self, sources, more=None) -> None:
        self.sources = sources
        self.more = more

    def run(self, folder, resume):
        note(f"{folder.name} {'again' if resume else 'fresh'}")
        texts = [path.read_text() for source in self.sources for path in sorted(Path(source).glob("*.txt"))]
        write_text(folder / "all.txt", "\n".join(texts))
        return {"texts": len(texts)}


@STAGES.register_module(force=True)
class Fail(Stage):
    """Writes a file and fails, until the file ``unless`` is there."""

    def __init__(self, unless, error="data") -> None:
        self.unless = unless
        self.error = error

    def run(self, folder, resume):
        note(f"{folder.name} {'again' if resume else 'fresh'}")
        write_text(folder / "begun.txt", "half")
        if Path(self.unless).exists():
            return {"done": 1}
        if self.error == "os":
            (folder / "nowhere" / "x").read_text()
        raise {"data": DataError("The owl is missing."), "interrupt": KeyboardInterrupt(), "bug": ZeroDivisionError()}[
            self.error
        ]


@STAGES.register_module(force=True)
class Answer(Stage):
    """Returns what it was told to."""

    def __init__(self, value) -> None:
        self.value = value

    def run(self, folder, resume):
        return self.value


def kill():
    os.kill(os.getpid(), 9)


def run_and_die_at_fsync(stages, work_dir, number, overwrite=False):
    """Run a pipeline and be killed when the so many-th file is to be put in its place."""
    sync, calls = os.fsync, []

    def counted(descriptor):
        calls.append(1)
        if len(calls) == number:
            kill()
        sync(descriptor)

    os.fsync = counted
    run_pipeline(plan_pipeline("toy", stages, work_dir), overwrite=overwrite)


def run_and_die_at_iteration(config, work_dir, iteration):
    """Run a pipeline from a file and be killed in a training, after the so many-th iteration of its."""
    done = EpochLoop.run_iter

    def run_iter(self, index, batch):
        done(self, index, batch)
        if self._iter == iteration:
            kill()

    EpochLoop.run_iter = run_iter
    run_pipeline(load_pipeline(config, work_dir=work_dir))


def run_and_die_at_map(config, work_dir, number):
    """Run a pipeline from a file and be killed when the so many-th map is to be written."""
    import wsolkit.pipeline.maps_stage as maps_stage

    write, calls = maps_stage.write_image_maps, []

    def counted(*arguments):
        calls.append(1)
        if len(calls) == number:
            kill()
        return write(*arguments)

    maps_stage.write_image_maps = counted
    run_pipeline(load_pipeline(config, work_dir=work_dir))


def hold(stages, work_dir, ready, release):
    """Keep a pipeline's folder busy."""
    from wsolkit.lock import locked

    with locked(Path(work_dir)):
        ready.set()
        release.wait(60)


MICRO = str(micro.CONFIG)
