import argparse
import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.support import micro
from wsolkit.cli import train as command
from wsolkit.cli.main import build_parser, main
from wsolkit.cli.training_device import take_device
from wsolkit.training.train import Training

HERE = Path(__file__).parent
SCRIPT = HERE / "run_train.py"
LONG = "train_cfg.max_epochs=100000"


def parse(*texts):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(["train", *map(str, texts)])


def environment():
    paths = [str(HERE.parents[1]), str(HERE.parents[1] / "plugins")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def test_options_reach_the_training_and_the_end_is_summed_up(tmp_path, capsys):
    args = parse(
        micro.CONFIG, "--work-dir", tmp_path, "--cfg-options", "train_cfg.max_epochs=1", "--amp", "--seed", "9"
    )
    assert args.run(args) == 0
    output = capsys.readouterr().out
    assert f"last: {tmp_path / 'last.pth'}" in output
    assert "(top1 " in output
    assert f"wsolkit predict {tmp_path / 'config.py'} {tmp_path / 'best.pth'} IMAGES --out {tmp_path}" in output
    meta = torch.load(tmp_path / "last.pth", weights_only=True)["meta"]
    assert meta["seed"] == 9
    assert "precision='bf16'" in meta["cfg"]


def test_switches_set_precision_and_compilation(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        "wsolkit.training.train.train", lambda config, work_dir, **arguments: seen.update(config=config, **arguments)
    )
    monkeypatch.setattr(command, "summary", lambda *_, **__: "")
    args = parse(micro.CONFIG, "--no-amp", "--compile", "--resume", "x.pth", "--deterministic")
    args.run(args)
    assert seen["config"].model.precision == "fp32"
    assert seen["config"].model.compile is True
    assert seen["resume"] == "x.pth"
    assert seen["deterministic"]
    assert parse(micro.CONFIG, "--resume").resume is True


@pytest.mark.parametrize("number", [2, 5])
def test_an_interrupt_says_what_is_kept_and_how_to_go_on(number, tmp_path, capsys):
    (tmp_path / "interrupted.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\n"
        f"custom_hooks = [dict(type='Trip', at='iteration', number={number}, action='interrupt')]\n"
    )
    args = parse(tmp_path / "interrupted.py", "--work-dir", tmp_path / "work")
    assert args.run(args) == 130
    said = capsys.readouterr().err
    if number == 2:
        assert "Stopped before the first checkpoint" in said
    else:
        config = tmp_path / "work" / "config.py"  # holds the options of the command line as well
        assert f"wsolkit train {config} --work-dir {tmp_path / 'work'} --resume" in said


def test_several_processes_are_started_by_torchrun_again(tmp_path, monkeypatch):
    (tmp_path / "last.pth").touch()
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert "torchrun --nproc-per-node 3 -m wsolkit train " in command.interrupted(tmp_path)
    assert command.interrupted(tmp_path).endswith("--resume --launcher pytorch")


def test_a_full_disk_is_told_in_words_and_spoils_no_checkpoint(tmp_path, capsys, monkeypatch):
    last, fsync = tmp_path / "last.pth", os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: full_disk() if last.exists() else fsync(file))
    assert main(["train", str(micro.CONFIG), "--work-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"best.pth cannot be written: No space left on device. {last} is intact. Make room on the disk, and" in said
    assert "Traceback" not in said
    assert torch.load(last, weights_only=True)["meta"]["validation_pending"]
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"last.pth", "config.py", "manifest.json"}


def full_disk():
    raise OSError(errno.ENOSPC, "No space left on device")


def test_kill_is_answered_as_ctrl_c_is(tmp_path, capsys):
    (tmp_path / "killed.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\n"
        "custom_hooks = [dict(type='Trip', at='iteration', number=5, action='terminate')]\n"
    )
    before = signal.getsignal(signal.SIGTERM)
    assert main(["train", str(tmp_path / "killed.py"), "--work-dir", str(tmp_path / "work")]) == 143
    said = capsys.readouterr().err
    assert f"Stopped. {tmp_path / 'work' / 'last.pth'} is kept. Go on with:" in said
    assert signal.getsignal(signal.SIGTERM) is before
    assert torch.load(tmp_path / "work" / "last.pth", weights_only=True)["meta"]["iter"] == 3


@pytest.mark.slow
def test_ctrl_c_prints_no_traceback_even_with_workers(tmp_path):
    workers = ["train_dataloader.num_workers=1", "train_dataloader.persistent_workers=True"]
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(micro.CONFIG), "--work-dir", str(tmp_path), "--cfg-options", LONG, *workers],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    try:
        for _ in range(1000):
            if (tmp_path / "last.pth").exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "--resume" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "two.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\ncustom_hooks = [dict(type='RankWeights')]\ntrain_cfg = dict(max_epochs=2)\n"
        "train_dataloader = dict(batch_size=2, dataset=dict(broken=[3], on_corrupt='skip'))\n"
    )
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(port),
        str(SCRIPT),
    ]
    work = tmp_path / "work"
    done = subprocess.run(
        [*torchrun, str(tmp_path / "two.py"), "--work-dir", str(work), "--launcher", "pytorch"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (torch.load(work / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name
    checkpoint = torch.load(work / "last.pth", weights_only=True)
    assert torch.equal(checkpoint["state_dict"]["backbone.stem.weight"], first["backbone.stem.weight"])
    assert checkpoint["meta"]["processes"] == 2
    assert "images: 7" in done.stdout  # uneven: 4 and 3, each counted once
    assert done.stdout.count("Training is done.") == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["two.py", "work"]
    assert not list(work.glob(".collect*"))
    assert (work / "corrupt_images.txt").read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "cuda:99"], "There is no device 'cuda:99' here"),
        (["--device", "meta"], "A training runs on cpu, cuda or cuda:N, but got --device meta"),
        (["--device", "cpu", "--launcher", "pytorch"], "--device cpu does not go with --launcher pytorch"),
    ],
)
def test_a_device_that_cannot_be_taken_is_said(options, words, capsys, tmp_path):
    assert main(["train", str(micro.CONFIG), "--work-dir", str(tmp_path / "run"), *options]) == 2
    assert words in capsys.readouterr().err


def test_a_training_on_the_cpu_sees_no_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    take_device(None)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    take_device("cpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


LOCALIZER = {"model": {"type": "Localizer", "head": {"type": "CAMHead"}}}


@pytest.mark.parametrize(("head", "options"), [("CAMHead", ""), ("C2AMHead", "--classes folder ")])
def test_the_printed_commands_can_be_pasted(head, options, tmp_path):
    work = tmp_path / "my runs"
    training = Training(work, work / "last.pth", None, None, None)
    config = {
        "model": {"type": "Localizer", "head": {"type": head}},
        "train_dataloader": {"dataset": {"type": "ImageFolder", "data_root": "my photos"}},
    }
    lines = command.summary(training, config).splitlines()
    assert lines[-1] == (
        f"  wsolkit predict '{work}/config.py' '{work}/last.pth' 'my photos' {options}--out '{work}/predictions' --draw"
    )
    parsed = build_parser().parse_args(shlex.split(lines[-1])[1:])
    assert parsed.images == ["my photos"]
    (work / "last.pth").parent.mkdir()
    (work / "last.pth").touch()
    assert f"wsolkit train '{work}/config.py' --work-dir '{work}' --resume" in command.interrupted(work)


def test_what_comes_next_is_said_of_models_that_predict_by_themselves(tmp_path):
    training = Training(tmp_path, tmp_path / "last.pth", tmp_path / "best.pth", "BoxAcc@50", 53.6)
    assert f"wsolkit test {tmp_path / 'config.py'} {tmp_path / 'best.pth'}" in command.summary(training, LOCALIZER)
    part = command.summary(training, {"model": {"type": "BoxRegressor"}})
    assert "Next" not in part
    assert f"best: {tmp_path / 'best.pth'} (BoxAcc@50 53.6)" in part
