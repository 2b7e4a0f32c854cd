"""What the file of a benchmark becomes: jobs, their order, their folders; and a pipeline as a method."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.config_steps import loss_step
from tests.support.tiny_benchmark import FLIPPED, benchmark, claim_together, plan, run
from wsolkit import Stage
from wsolkit.benchmark.benchmark_file import Budget, read_benchmark
from wsolkit.benchmark.failures import keep_failure
from wsolkit.benchmark.jobs import Setting, config_of, jobs_of, places_of
from wsolkit.benchmark.progress import is_done
from wsolkit.benchmark.run import run_jobs
from wsolkit.benchmark.stages import JobTraining, feature_seconds_of, seconds_of
from wsolkit.benchmark.table import benchmark_table
from wsolkit.benchmark.trials import value_of
from wsolkit.config.find import benchmark_files, find_config
from wsolkit.config.load import load_config
from wsolkit.errors import ConfigError
from wsolkit.evaluation.results import VAL, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.features.time_spent import tell_of_features
from wsolkit.lock import locked
from wsolkit.pipeline import Train
from wsolkit.registry import STAGES
from wsolkit.report import Evaluation, read_evaluation, write_evaluation

FREE = {"model.losses": [], "model.head": {"type": "LinearHead", "num_classes": 3}}


@STAGES.register_module(force=True)
class Judge(Stage):
    """Leaves an evaluation."""

    def __init__(self, percent=50.0) -> None:
        self.percent = percent

    def run(self, folder, resume):
        line = Line("GT-known", Score(self.percent, 4, 0.0, 100.0), 0.2, VAL)
        write_evaluation(folder, Evaluation("judge", "test", 4, [Result("localization", (line,))]), page=False)
        return {}


@pytest.mark.parametrize("name", sorted(benchmark_files()))
def test_a_shipped_benchmark_names_what_there_is(name):
    asked = read_benchmark(name)
    for method, backbone, data in places_of(asked):
        assert find_config(config_of(method, backbone, data)).is_file()


def rows_of_other_networks():
    """Yield the rows of shipped benchmarks that change the network of a configuration, which has a test of its own."""
    for name in sorted(benchmark_files()):
        asked = read_benchmark(name)
        for method in asked.methods:
            options = {**asked.options, **method.options}
            changed = {key: value for key, value in options.items() if key.startswith("model.")}
            if changed and method.result is None:
                yield pytest.param(method.config, changed, id=f"{name}-{method.name}")


@pytest.mark.parametrize(("config", "options"), list(rows_of_other_networks()))
def test_a_row_with_another_network_takes_a_step(config, options):
    several = load_config(config).get("multi_label")
    labels = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]] if several else (0, 2)
    if not options.get("model.losses", True):
        options = {**options, "model.losses": [{"type": "CrossEntropy"}], "model.head": {"type": "LinearHead"}}
    loss_step(config, labels=labels, options=options)


def test_the_shipped_benchmark_without_data_can_be_planned(tmp_path):
    jobs = jobs_of(read_benchmark("synthetic"), Setting(tmp_path / "out"))
    assert [job.method for job in jobs] == ["CAM", "Grad-CAM", "C2AM"]
    assert jobs[0].training is jobs[1].training
    assert not (tmp_path / "out").exists()


def test_seeds_come_last_and_only_leaves_out(config, tmp_path):
    methods = {
        "A": config,
        "B": {"config": config, "only": ["small"], "seeds": [5]},
        "C/..": {"config": config, "only": ["wide"], "budget": {"epochs": 1}},
    }
    wide = {"wide": {"options": {"model.backbone.width": 6}}, "narrow": {}}
    data = {"small": {}, "large": {"options": {"train_dataloader.dataset.num_images": 32}}}
    jobs = plan(config, tmp_path, methods, backbones=wide, data=data, seeds=[0, 1])
    assert [job.title for job in jobs] == [
        "A, wide, small, seed 0", "B, wide, small, seed 5", "C/.., wide, small, seed 0",
        "A, narrow, small, seed 0", "B, narrow, small, seed 5",
        "A, wide, large, seed 0", "C/.., wide, large, seed 0", "A, narrow, large, seed 0",
        "A, wide, small, seed 1", "C/.., wide, small, seed 1", "A, narrow, small, seed 1",
        "A, wide, large, seed 1", "C/.., wide, large, seed 1", "A, narrow, large, seed 1",
    ]  # fmt: skip
    assert [job.scoring.folder.parent for job in jobs] == [tmp_path / "jobs"] * len(jobs)
    assert jobs[2].scoring.folder.name.startswith("C_wide_small_s0_")
    assert [job.scoring.facts["budget"] for job in jobs[:3]] == [None, None, {"epochs": 1, "iterations": None}]
    assert [job.scoring.facts["epochs"] for job in jobs[:3]] == [2, 2, 1]
    assert benchmark(config, methods, data=data, backbones=wide).budget == Budget(epochs=2)


def test_names_are_filled_in(tmp_path):
    (tmp_path / "table.py").write_text(
        'methods = {"CAM": "cam_{backbone}_{data}"}\ndata = {"cub": "birds"}\nbackbones = ["vgg16"]\nseeds = [3]\n'
    )
    job = jobs_of(read_benchmark(tmp_path / "table.py", {"seeds": [4]}), Setting(tmp_path / "out"))[0]
    assert (job.scoring.facts["config"], job.seed, job.backbone) == ("cam_vgg16_cub", 4, "vgg16")
    assert job.scoring.facts["set"]["data_root"] == "birds"


def test_a_method_without_losses_is_tested_alone_once(config, tmp_path):
    jobs = plan(config, tmp_path, {"free": {"config": config, "options": FREE}}, seeds=[0, 1])
    assert [(job.training, job.scoring.checkpoint, job.scoring.facts["seed"]) for job in jobs] == [(None, None, None)]


def piped(folder, percent):
    """Return a method that is a pipeline."""
    (folder / "judged.py").write_text(
        'custom_imports = dict(imports=["tests.support.micro"])\npercent = 50.0\n'
        'stages = [dict(name="a", type="Judge", percent=percent), dict(name="b", type="Judge", percent=1.0)]\n'
    )
    return {"pipeline": str(folder / "judged.py"), "result": "a", "options": {"percent": percent}}


def test_a_job_that_another_process_has_is_waited_for_at_the_end(config, tmp_path):
    jobs = plan(config, tmp_path / "out", {"A": piped(tmp_path, 25.0), "B": piped(tmp_path, 75.0)})
    ready, release, said = threading.Event(), threading.Event(), []

    def hold():
        with locked(jobs[0].scoring.folder, "benchmark"):
            ready.set()
            release.wait(60)

    def tell(line):
        said.append(line)
        if "waiting for them" in line:
            release.set()

    other = threading.Thread(target=hold)
    other.start()
    ready.wait(60)
    assert run_jobs(jobs, tell).done == [jobs[1], jobs[0]]
    other.join()
    assert [line.partition(", about")[0] for line in said] == [
        "[2/2] B, seed 0: testing ...",
        "[2/2] B, seed 0: GT-known 75.0; 1 job left",
        "Other processes are at the last 1 job; waiting for them.",
        "[1/2] A, seed 0: testing ...",
        "[1/2] A, seed 0: GT-known 25.0",
    ]


def test_a_pipeline_is_a_method(config, tmp_path):
    methods = {"piped": piped(tmp_path, 75.0)}
    jobs, said = plan(config, tmp_path / "out", methods), []
    assert run(jobs, said).done == jobs
    found = read_evaluation(jobs[0].scoring.folder)
    assert (found.name, found.honest_numbers()) == ("piped", {"GT-known": 75.0})
    facts = json.loads((jobs[0].scoring.folder / "job.json").read_text())
    assert (facts["budget"], facts["boxes_used"]) == ("its own stages", False)
    assert sorted(path.name for path in (jobs[0].scoring.folder / "stages").iterdir()) == ["a"]
    assert run(plan(config, tmp_path / "out", methods), said).done
    assert len(said) == 2
    table = benchmark_table(jobs, "piped")
    assert [row.name for row in table.parts[0].rows if not row.trivial] == ["piped"]


def test_what_only_the_test_sees_asks_for_no_other_training(config, tmp_path):
    cached = {"feature_cache": {"level": "last", "evaluate": True}}
    methods = {
        "A": {"config": config, "options": cached},
        "pixels": {"config": config, "options": {"feature_cache": {"level": "last", "most_gb": 1.0}}},
        "more": {"config": config, "options": {**cached, "test_dataloader.batch_size": 2}},
        "whole": {"config": config, "options": {"feature_cache": None}},
        "best": {"config": config, "options": cached, "checkpoint": "best"},
    }
    trainings = [job.training for job in plan(config, tmp_path, methods)]
    assert trainings[0] is trainings[1] is trainings[2]
    assert len({training.folder for training in trainings}) == 3


def test_a_job_says_a_hash_of_its_settings_that_its_seeds_have_in_common(config, tmp_path):
    def said(percent, seeds=(0,), **more):
        methods = {"CAM": config, "piped": piped(tmp_path, percent)}
        jobs = plan(config, tmp_path, methods, seeds=list(seeds), **more)
        hashes = {(job.method, job.scoring.facts["settings_hash"]) for job in jobs}
        assert len(hashes) == 2
        return dict(hashes)

    first = said(50.0, [0, 1])
    other = said(60.0, checkpoint="best")
    Path(config).write_text(Path(config).read_text().replace("lr=0.01", "lr=0.02"))
    changed = said(50.0)
    assert len({each["CAM"] for each in (first, other, changed)}) == 3
    assert first["piped"] == changed["piped"] != other["piped"]


def test_features_that_all_share_are_no_time_of_the_training_that_came_first(config, tmp_path, monkeypatch):
    def train(self, folder, resume):
        tell_of_features(100.0)
        (folder / "last.pth").touch()
        return {}

    monkeypatch.setattr(Train, "run", train)
    clock = SimpleNamespace(perf_counter=iter([0.0, 130.0]).__next__, time=lambda: 0.0)
    monkeypatch.setattr("wsolkit.benchmark.stages.time", clock)
    stage = JobTraining(config, {}, 0, tmp_path / "features")
    stage.run(tmp_path, False)
    assert (seconds_of(tmp_path), feature_seconds_of(tmp_path)) == (30.0, 100.0)


@pytest.mark.parametrize(("checkpoint", "count"), [("last", 1), ("best", 4)])
def test_what_the_validation_sees_decides_only_about_the_best_weights(config, tmp_path, checkpoint, count):
    options = [{}, {"model.cam_method": FLIPPED}, {"model.box_extractor.multiple": True}, {"model.refiner": None}]
    options[3] = {"model.refiner": {"type": "DenseCRFRefiner"}}
    methods = {str(number): {"config": config, "options": each} for number, each in enumerate(options)}
    trainings = [job.training for job in plan(config, tmp_path, methods, checkpoint=checkpoint)]
    assert len({training.folder for training in trainings}) == count


def test_a_budget_that_the_training_does_not_count_is_refused(config, tmp_path):
    counts = "train_cfg = dict(_delete_=True, by_epoch=False, max_iters=6, val_interval=3)\n"
    (tmp_path / "counts.py").write_text(f'_base_ = "./{Path(config).name}"\n{counts}')
    methods = {"by iterations": str(tmp_path / "counts.py")}
    with pytest.raises(ConfigError, match=r"Method 'by iterations': its training counts iterations, .* epochs alone"):
        plan(config, tmp_path, methods, budget={"epochs": 3})
    with pytest.raises(ConfigError, match=r"counts epochs, but .* iterations alone \(3\). Give budget.epochs too"):
        plan(config, tmp_path, budget={"iterations": 3})
    both = {"CAM": config, **methods}
    jobs = plan(config, tmp_path, both, budget={"epochs": 3, "iterations": 5})
    assert [job.scoring.facts["epochs"] for job in jobs] == [3, None]
    loop = {"_delete_": True, "by_epoch": False, "max_iters": 6, "val_interval": 3}
    methods = {"by options": {"config": config, "options": {"train_cfg": loop}}}
    (job,) = plan(config, tmp_path, methods, budget={"epochs": 3, "iterations": 5})
    assert {"max_iters", "by_epoch"} <= set(job.training.declaration.settings["configuration"]["train_cfg"])
    assert job.training.declaration.settings["configuration"]["train_cfg"]["max_iters"] == 5


def test_what_failed_since_the_run_began_is_not_tried_again(config, tmp_path):
    jobs = plan(config, tmp_path / "out", {"A": piped(tmp_path, 25.0)})
    began = time.time()
    failure = keep_failure(jobs[0].scoring.folder, ConfigError("It went wrong."))
    outcome = run_jobs(jobs, lambda _: None, since=began)
    assert outcome.failed == [(jobs[0], failure)]
    assert run_jobs(jobs, lambda _: None).done == jobs


def test_a_job_is_looked_at_as_soon_as_it_is_done(config, tmp_path):
    jobs = plan(config, tmp_path / "out", {"A": piped(tmp_path, 25.0), "B": piped(tmp_path, 75.0)})
    for _ in range(2):  # where it has just been run, and where it was done before
        with pytest.raises(ConfigError, match="search.metric is 'GTK', but val has no such number. .*'GT-known'"):
            run_jobs(jobs, lambda _: None, look=lambda job: value_of(job, "GTK"))
    assert not is_done(jobs[1].scoring)


def test_processes_that_begin_at_once_in_a_new_folder_leave_each_other_alone(processes, tmp_path):
    barrier, errors = processes.Barrier(6), processes.Queue()
    names = [str(tmp_path / str(number) / "out") for number in range(25)]
    started = [processes.Process(target=claim_together, args=(names, barrier, errors)) for _ in range(6)]
    for process in started:
        process.start()
    assert [errors.get(timeout=60) for _ in started] == [[]] * 6
    for process in started:
        process.join()
    assert [[path.name for path in Path(name).iterdir()] for name in names] == [["benchmark.json"]] * 25
