"""A benchmark that takes a second a job: two convolutions on scenes of 32 pixels; and processes that work on it."""

import gc
import os
import time
from pathlib import Path

import torch

from tests.support.tiny_stages import kill
from wsolkit.benchmark import benchmark_file, optuna_draws
from wsolkit.benchmark.benchmark_file import benchmark_of
from wsolkit.benchmark.jobs import Setting, jobs_of
from wsolkit.benchmark.run import run_jobs
from wsolkit.benchmark.search import run_trials
from wsolkit.benchmark.state import claim_benchmark
from wsolkit.benchmark.trials import trials_of
from wsolkit.training.loops import EpochLoop

LOADER = {
    "sampler": {"type": "DefaultSampler", "shuffle": False},
    "batch_size": 8,
    "num_workers": 0,
    "collate_fn": {"type": "collate_samples"},
}
SCENES = {"type": "SyntheticParts", "num_classes": 3, "image_size": 32, "seed": 1}
RESIZE = [{"type": "Resize", "size": (32, 32)}]
CONFIG = f"""
custom_imports = dict(imports=["tests.support.micro"])
model = dict(
    type="Localizer",
    backbone=dict(type="MicroBackbone"),
    head=dict(type="LinearHead"),
    losses=[dict(type="CrossEntropy")],
    precision="fp32",
)
loader = {LOADER!r}
scenes = {SCENES!r}
steps = {RESIZE!r}
seen = dict(load_targets=True, test_mode=True, pipeline=steps)
train_dataloader = dict(dataset=dict(split="train", num_images=16, **scenes), **loader)
val_dataloader = dict(dataset=dict(split="val", num_images=4, **seen, **scenes), **loader)
test_dataloader = dict(dataset=dict(split="test", num_images=4, **seen, **scenes), **loader)
val_evaluator = test_evaluator = dict(type="LocalizationMetric", thresholds=10)
train_cfg = dict(by_epoch=True, max_epochs=3)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01))
default_hooks = dict(logger=dict(type="LoggerHook", interval=2))
randomness = dict(seed=3)
"""
FLIPPED = {"type": "MultiScaleMaps", "scales": [1.0], "flip": True}
BROKEN = {"optim_wrapper.optimizer.lr": 1e38}


def write_config(folder):
    """Write the configuration of the methods and return its path."""
    path = folder / "tiny.py"
    path.write_text(CONFIG)
    return str(path)


def benchmark(config, methods=None, **more):
    """Return a benchmark: by default a method, another CAM method on its network, and another network."""
    methods = methods or {
        "CAM": config,
        "flipped": {"config": config, "cam_method": FLIPPED},
        "wide": {"config": config, "options": {"model.backbone.width": 6}},
    }
    return benchmark_of("tiny", {"methods": methods, "budget": {"epochs": 2}, **more})


def plan(config, out, methods=None, found=None, **more):
    """Return the jobs of a benchmark."""
    return jobs_of(benchmark(config, methods, **more), Setting(out), found)


def run(jobs, said=None):
    """Run jobs and keep what is said."""
    gc.freeze()
    torch.set_num_threads(1)
    return run_jobs(jobs, tell=(said if said is not None else []).append)


def claim_together(folders, barrier, errors):
    """Claim folders at the same moments as other processes, and tell what went wrong."""
    wrong = []
    for folder in folders:
        barrier.wait(60)
        try:
            claim_benchmark(Path(folder), benchmark_of("tiny", {"methods": {"CAM": "cam_synthetic"}}))
        except Exception as error:  # whatever it is, the test shows it
            wrong.append(repr(error))
    errors.put(wrong)


def run_in_process(config, out, log):
    """Work on a benchmark in a process of its own, and write what was said to a file."""
    said = []
    run(plan(config, out), said)
    log.write_text("\n".join(said))


def run_and_die_at_iteration(config, out, iteration):
    """Work on a benchmark and be killed in its first training, after so many iterations."""
    done = EpochLoop.run_iter

    def run_iter(self, index, batch):
        done(self, index, batch)
        if self._iter == iteration:
            kill()

    EpochLoop.run_iter = run_iter
    run(plan(config, out))


def run_and_die_at_fsync(config, out, number):
    """Work on a benchmark and be killed when the so many-th file is to be put in its place."""
    sync, calls = os.fsync, []

    def counted(descriptor):
        calls.append(1)
        if len(calls) == number:
            kill()
        sync(descriptor)

    os.fsync = counted
    run(plan(config, out))


def search_in_process(config, out, search):
    """Search in a process of its own, with Optuna from the third trial on."""
    benchmark_file.STARTUP = optuna_draws.STARTUP = 2
    asked, began = benchmark(config, {"mine": config}, search=search), time.time()
    run_trials(asked, Setting(out), trials_of(asked, Setting(out), since=began), began, run)
