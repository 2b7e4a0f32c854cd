"""Jobs are run once, share their trainings, go on where they were killed, and fail alone."""

import json
import shutil
from dataclasses import replace

import pytest

from tests.support import tiny_benchmark
from tests.support.tiny_benchmark import BROKEN, FLIPPED, plan, run
from wsolkit.benchmark.progress import state_of_job
from wsolkit.benchmark.run import Outcome, own_share
from wsolkit.benchmark.state import claim_benchmark
from wsolkit.benchmark.table import benchmark_table
from wsolkit.cli.main import main
from wsolkit.errors import ConfigError, DataError
from wsolkit.report import read_evaluation
from wsolkit.training.machine import processor_name
from wsolkit.weights.checkpoint import read_checkpoint


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A benchmark that was run to its end without a break."""
    folder = tmp_path_factory.mktemp("finished")
    jobs = plan(tiny_benchmark.write_config(folder), folder / "out")
    said = []
    return jobs, run(jobs, said), said


def numbers(job):
    return [result.as_dict() for result in read_evaluation(job.scoring.folder).results]


def test_a_training_is_shared_by_jobs_that_only_test_otherwise(finished):
    jobs, outcome, said = finished
    assert [job.method for job in outcome.done] == ["CAM", "flipped", "wide"]
    assert not outcome.failed
    assert sum("training ..." in line for line in said) == 2
    assert jobs[0].training is jobs[1].training
    assert jobs[0].scoring.checkpoint == jobs[1].scoring.checkpoint
    assert numbers(jobs[0]) != numbers(jobs[1])
    out = jobs[0].scoring.folder.parents[1]
    assert len(list((out / "trainings").iterdir())) == 2


def test_a_job_leaves_its_facts(finished):
    jobs, _, _ = finished
    facts = json.loads((jobs[1].scoring.folder / "job.json").read_text())
    wanted = {"method": "flipped", "seed": 0, "cam": None, "budget": None, "epochs": 2, "boxes_used": False}
    assert {key: facts[key] for key in wanted} == wanted
    assert facts["set"]["model.cam_method"]["flip"] is True
    assert facts["parameters"] == facts["trained_parameters"] == 4 * 27 + 4 + 8 + 4 * 36 + 4 + 4 * 3 + 3
    assert facts["train_minutes"] > 0
    assert facts["test_minutes"] > 0
    assert facts["backbone"] == "MicroBackbone"
    assert (facts["processor"], facts["threads"]) == (facts["train_processor"], facts["train_threads"])
    assert (facts["processor"], facts["threads"]) == (processor_name(), 1)
    wide = json.loads((jobs[2].scoring.folder / "job.json").read_text())
    assert wide["parameters"] > facts["parameters"]
    assert read_evaluation(jobs[1].scoring.folder).name == "flipped"


def test_the_table_of_a_run_of_some_methods_has_all_of_the_file(finished, tmp_path, monkeypatch, capsys):
    jobs, _, _ = finished
    out = tmp_path / "out"
    config = jobs[0].training.config
    methods = {
        "CAM": config,
        "flipped": {"config": config, "cam_method": FLIPPED},
        "late": {"config": config, "seeds": [7]},
    }
    benchmark = tiny_benchmark.benchmark(config, methods)
    asked = []
    monkeypatch.setattr("wsolkit.benchmark.benchmark_file.read_benchmark", lambda *_: benchmark)
    monkeypatch.setattr("wsolkit.benchmark.run.run_jobs", lambda jobs, *_: asked.extend(jobs) or Outcome())
    (tmp_path / "tiny.py").write_text("methods = {}")
    claim_benchmark(out, benchmark)
    shutil.copytree(jobs[0].scoring.folder.parents[1], out, dirs_exist_ok=True)
    table = out / "table.json"
    table.write_text('{"trials": [{"trial": 0}]}')
    code = main(["benchmark", str(tmp_path / "tiny.py"), "--out", str(out), "--only", "CAM"])
    assert code == 0, capsys.readouterr().err
    assert {job.method for job in asked} == {"CAM"}
    content = json.loads(table.read_text())
    assert {row["name"] for part in content["parts"] for row in part["rows"]} >= {"CAM", "flipped", "late"}
    assert content["missing"] == ["late (MicroBackbone): seed 7 has not run"]
    assert content["trials"] == [{"trial": 0}]  # of an earlier search


def test_what_the_file_says_now_counts_and_not_what_a_job_was_written_with(finished, tmp_path):
    jobs, _, _ = finished
    path = jobs[0].scoring.folder / "job.json"
    written = path.read_text()
    try:
        now = replace(jobs[0].scoring, facts={**jobs[0].scoring.facts, "data": "voc", "command": "again"})
        table = benchmark_table([replace(jobs[0], scoring=now)], "CAM")
        (row,) = [row for row in table.parts[0].rows if row.seeds]
        assert table.parts[0].data == "voc"
        known = json.loads(written)
        assert (row.facts.train_minutes, row.facts.command) == (known["train_minutes"], known["command"])
        assert row.facts.device == known["device"]
        path.write_text("{")
        with pytest.raises(DataError, match=r"job.json cannot be read: .*Run the benchmark again"):
            benchmark_table(jobs, "CAM")
        path.unlink()
        with pytest.raises(DataError, match=r"job.json cannot be read: .*No such file"):
            benchmark_table(jobs, "CAM")
    finally:
        path.write_text(written)


def test_the_last_weights_are_tested_without_a_validation_before(finished):
    jobs, _, _ = finished
    folder = jobs[0].training.folder
    assert not (folder / "best.pth").exists()
    assert read_checkpoint(folder / "last.pth")["meta"]["epoch"] == 2


def test_what_is_done_is_skipped_also_without_its_training(finished):
    jobs, _, _ = finished
    shutil.rmtree(jobs[2].training.folder)
    said = []
    outcome = run(jobs, said)
    assert len(outcome.done) == 3
    assert said == []


@pytest.mark.parametrize(("kill", "number"), [("run_and_die_at_iteration", 3), ("run_and_die_at_fsync", 13)])
def test_a_killed_benchmark_goes_on_and_ends_as_if_never_stopped(finished, processes, tmp_path, kill, number):
    config, out = tiny_benchmark.write_config(tmp_path), tmp_path / "out"
    process = processes.Process(target=getattr(tiny_benchmark, kill), args=(config, out, number))
    process.start()
    process.join()
    assert process.exitcode == -9
    jobs, said = plan(config, out), []
    outcome = run(jobs, said)
    assert len(outcome.done) == 3
    assert [numbers(job) for job in jobs] == [numbers(job) for job in finished[0]]
    assert not list(out.rglob("*.part"))
    if kill == "run_and_die_at_iteration":
        assert said[0] == "[1/3] CAM, MicroBackbone, seed 0: training goes on where it was stopped"


def test_two_processes_share_a_benchmark(finished, processes, tmp_path):
    config, out = tiny_benchmark.write_config(tmp_path), tmp_path / "out"
    logs = [tmp_path / "0.log", tmp_path / "1.log"]
    both = [processes.Process(target=tiny_benchmark.run_in_process, args=(config, out, log)) for log in logs]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    lines = [line for log in logs for line in log.read_text().splitlines()]
    assert sum("training ..." in line for line in lines) == 2
    assert sum("testing ..." in line for line in lines) == 3
    assert [numbers(job) for job in plan(config, out)] == [numbers(job) for job in finished[0]]


def test_a_broken_method_fails_alone_and_is_tried_again(config, tmp_path):
    methods = {
        "bad": {"config": config, "options": BROKEN},
        "worse": {"config": config, "options": BROKEN, "cam_method": FLIPPED},
        "CAM": config,
    }
    jobs, said = plan(config, tmp_path / "out", methods), []
    outcome = run(jobs, said)
    assert [job.method for job in outcome.done] == ["CAM"]
    assert [job.method for job, _ in outcome.failed] == ["bad", "worse"]
    words = outcome.failed[0][1].words
    assert words.startswith("training 'tiny_s0': The loss became ")
    assert outcome.failed[1][1] == outcome.failed[0][1]  # the very same attempt
    assert sum("training ..." in line for line in said) == 2  # that of bad and worse once
    assert state_of_job(jobs[0]).failure.words == words
    again = run(plan(config, tmp_path / "out", methods), said)
    assert [job.method for job, _ in again.failed] == ["bad", "worse"]
    assert again.failed[0][1].attempt != outcome.failed[0][1].attempt


def test_other_settings_make_a_new_job_and_keep_the_old_one(finished, tmp_path):
    jobs, _, _ = finished
    out, config = jobs[0].scoring.folder.parents[1], jobs[0].training.config
    changed = plan(config, out, budget={"epochs": 5})
    assert [state_of_job(job).kind for job in changed] == ["to do"] * 3
    why = state_of_job(changed[0]).changed
    assert why == (
        "new: settings.configuration.train_cfg.max_epochs was 2 and is 5 (the earlier result stays in "
        f"{jobs[0].scoring.folder.name})"
    ).replace("settings.", "")
    assert state_of_job(jobs[0]).kind == "done"


def test_shares_keep_jobs_of_one_training_together(config, tmp_path):
    jobs = plan(config, tmp_path / "out", seeds=[0, 1])
    shares = [own_share(jobs, (number, 3)) for number in range(3)]
    assert sorted(job.title for share in shares for job in share) == sorted(job.title for job in jobs)
    trainings = [{job.training.folder for job in share} for share in shares]
    assert sum(map(len, trainings)) == len(set.union(*trainings)) == 4


def test_a_folder_of_somebody_else_is_left_alone(config, tmp_path):
    jobs = plan(config, tmp_path / "out")
    jobs[0].scoring.folder.mkdir(parents=True)
    (jobs[0].scoring.folder / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigError, match="holds files, but no pipeline made it. Nothing was touched. Move it away"):
        run(jobs)
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["thesis.tex"]
