"""A benchmark whose trainings have several processes, which torchrun starts inside a job."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.tiny_benchmark import benchmark, plan, run
from wsolkit.errors import ConfigError, WsolkitError
from wsolkit.training import launch
from wsolkit.training.launch import first_words, one_process, status_of, train_in_processes
from wsolkit.weights.checkpoint import read_checkpoint


@pytest.mark.slow
def test_torchrun_trains_inside_a_job(config, tmp_path):
    jobs = plan(config, tmp_path / "out", {"CAM": config}, processes=2)
    outcome = run(jobs)
    assert [job.method for job in outcome.done] == ["CAM"], outcome.failed
    checkpoint = read_checkpoint(str(jobs[0].training.folder / "last.pth"))
    assert checkpoint["meta"]["processes"] == 2
    assert checkpoint["meta"]["iter"] == 2 * 2  # two epochs of 16 images, 4 of each process at a time
    assert json.loads((jobs[0].scoring.folder / "job.json").read_text())["train_minutes"] > 0


def test_a_process_that_fails_leaves_its_words(config, tmp_path):
    asked = {"config": config, "options": {}, "folder": str(tmp_path / "run"), "resume": False, "seed": 0}
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    assert one_process(tmp_path) == 2  # nobody has started it by torchrun
    assert "needs processes started by torchrun" in first_words(tmp_path)


def test_processes_are_part_of_what_a_training_and_its_group_of_seeds_are(config, tmp_path):
    one, two = (plan(config, tmp_path, {"CAM": config}, processes=count)[0] for count in (1, 2))
    assert one.training.folder != two.training.folder
    assert one.scoring.facts["settings_hash"] != two.scoring.facts["settings_hash"]
    assert plan(config, tmp_path, {"CAM": config})[0].training.folder == one.training.folder
    assert two.training.build().processes == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Method 'CAM': processes=3 does not share 8 images of a batch out evenly"),
        ({"train_dataloader.batch_sampler": {"type": "X"}}, "has a batch_sampler. Train it in one process"),
        ({"train_dataloader.batch_size": None}, "has none. Train it in one process"),
    ],
)
def test_batches_that_cannot_be_shared_out_are_refused_before_anything_runs(config, tmp_path, options, words):
    with pytest.raises(ConfigError, match=words):
        plan(config, tmp_path, {"CAM": {"config": config, "options": options}}, processes=3)


@pytest.mark.parametrize("processes", [0, True, "2"])
def test_a_number_of_processes_is_asked_for(config, processes):
    with pytest.raises(ConfigError, match="processes is how many train each model, a whole number, at least 1"):
        benchmark(config, {"CAM": config}, processes=processes)


def test_the_one_that_failed_first_is_quoted(tmp_path):
    assert first_words(tmp_path) == ""
    for rank, at in enumerate((5.0, 2.0)):
        (tmp_path / f"failed_{rank}.json").write_text(json.dumps({"words": f"of {rank}", "at": at}))
    assert first_words(tmp_path) == "of 1"


def test_one_that_ends_without_words_is_told_with_its_log(config, tmp_path, monkeypatch):
    command = [sys.executable, "-c", "import os, sys; sys.stderr.write(os.environ['OMP_NUM_THREADS']); sys.exit(3)"]
    monkeypatch.setenv("OMP_NUM_THREADS", "6")
    monkeypatch.setattr(launch, "status_of", lambda _, *rest: status_of(command, *rest))
    with pytest.raises(WsolkitError, match=r"exit status 3 in one of its 2 processes; .*processes\.log says why"):
        train_in_processes(config, {}, tmp_path / "run", False, 0, 2)
    assert (tmp_path / "run" / "processes.log").read_text() == "3"


def test_options_that_are_no_plain_values_are_refused(config, tmp_path):
    options = {"train_dataloader.collate_fn.type": Path}
    with pytest.raises(ConfigError, match=r"takes plain options.*collate_fn\.type is of the type type"):
        train_in_processes(config, options, tmp_path / "run", False, 0, 2)
    assert not (tmp_path / "run").exists()
