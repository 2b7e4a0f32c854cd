"""The command line: exit codes, what is printed where, and how little is imported."""

import errno
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from wsolkit import ConfigError, __version__
from wsolkit.cli import components
from wsolkit.cli.main import SUBCOMMANDS, build_parser, main
from wsolkit.cli.one_line import one_line_warnings

ROOT = Path(__file__).parents[2]

LIGHT = """
import sys, types
package = types.ModuleType("wsolkit")  # the package without its public names
package.__path__ = [{path!r}]
sys.modules["wsolkit"] = package
from wsolkit.cli.main import build_parser
build_parser().format_help()
heavy = {{"torch", "torchvision", "mmengine", "cv2", "timm", "rich", "numpy"}} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture
def failing(monkeypatch):
    """Make ``wsolkit list`` end as we say."""

    def fail_with(error):
        def run(args):
            raise error

        monkeypatch.setattr(components, "run_list", run)

    return fail_with


def test_a_mistake_in_the_input_is_one_line(failing, capsys):
    failing(ConfigError("There is no config 'x'."))
    assert main(["list"]) == 2
    assert capsys.readouterr() == ("", "error: There is no config 'x'.\n")


@pytest.mark.parametrize("argv", [["list", "--traceback"], ["--traceback", "list"]])
def test_the_traceback_is_shown_on_demand(failing, capsys, argv):
    failing(ConfigError("There is no config 'x'."))
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.endswith("\nerror: There is no config 'x'.\n")


def test_an_interrupt_is_130(failing, capsys):
    failing(KeyboardInterrupt())
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_full_disk_is_told_without_a_traceback_also_where_it_has_no_name(failing, capsys):
    failing(OSError(errno.ENOSPC, "No space left on device"))
    assert main(["list"]) == 2
    assert capsys.readouterr().err == (
        "error: No space left on device. Check the path, its permissions and the disk.\n"
    )
    failing(OSError(errno.EBADF, "Bad file descriptor"))
    with pytest.raises(OSError, match="Bad file"):
        main(["list"])


def test_an_unexpected_error_asks_for_a_report(failing, capsys):
    failing(ZeroDivisionError("oops"))
    with pytest.raises(ZeroDivisionError):
        main(["list"])
    assert "Please report it with the lines below." in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "wsolkit.cli.main", "show", "CAM"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 1


def test_version_and_help(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"wsolkit {__version__}\n"
    assert main([]) == 2
    assert "usage: wsolkit" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["lst"])


@pytest.mark.parametrize(
    "command", ["train x.py", "test x.py a.pth", "predict x.py a.pth p --out o", "data check x.py", "pipeline x.py"]
)
def test_options_given_twice_are_all_kept(command):
    args = build_parser().parse_args([*command.split(), "--cfg-options", "a=1", "b=2", "--cfg-options", "c=3"])
    assert args.cfg_options == ["a=1", "b=2", "c=3"]


def test_a_tilde_is_the_home_folder_in_every_argument(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["predict", "~/no.pth", "photos", "--out", "~/o"]) == 2
    assert f"There is no file of weights {tmp_path}/no.pth" in capsys.readouterr().err
    assert main(["compare", "~/no"]) == 2
    assert f"{tmp_path}/no" in capsys.readouterr().err


def test_every_subcommand_can_run():
    parser = build_parser()
    choices = parser._subparsers._group_actions[0].choices
    assert {"train", "test", "predict", "data", "list", "show"} <= set(choices)
    assert all(each.get_default("run") or each._subparsers for each in choices.values())


def test_the_parsers_import_nothing_heavy():
    code = LIGHT.format(path=str(ROOT / "wsolkit"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [name.replace("_", "-") for name in SUBCOMMANDS if name != "components"])
def test_every_subcommand_has_help(name, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main([name, "--help"])
    assert f"usage: wsolkit {name}" in capsys.readouterr().out


def test_a_warning_is_one_line_without_code(tmp_path):
    (tmp_path / "ape").mkdir()
    for name in ("owl/a.png", "eagle/b.png"):
        (tmp_path / name).parent.mkdir()
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "boxes.csv").write_text("owl/a.png,1,1,4,4\n")
    command = [sys.executable, "-m", "wsolkit", "evaluate", "--maps", ".", "--metadata", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60).stderr
    assert re.search("^warning: .*class folders in .* have no images: ape", told, re.MULTILINE), told
    assert "UserWarning" not in told


def test_a_warning_is_printed_once():
    def warn():
        for count in (2, 2, 3):
            warnings.warn(f"{count} images are small.", stacklevel=1)

    with pytest.warns(UserWarning, match="images are small") as told, one_line_warnings():
        warn()
    assert [str(each.message) for each in told] == ["2 images are small.", "3 images are small."]


@pytest.mark.parametrize(
    ("line", "config", "checkpoint", "options"),
    [
        ("--cfg-options a=1 b=2 best.pth", None, "best.pth", ["a=1", "b=2"]),
        ("mine.py --cfg-options a=1 best.pth --cfg-options b=x.pth", "mine.py", "best.pth", ["a=1", "b=x.pth"]),
        ("--cfg-options a=1 mine.py best.pth", "mine.py", "best.pth", ["a=1"]),
        ("best.pth --cfg-options a=1 b", None, "best.pth", ["a=1", "b"]),
    ],
)
def test_a_file_behind_the_options_of_a_configuration_is_none_of_them(line, config, checkpoint, options):
    args = build_parser().parse_args(["test", *line.split()])
    assert [each for each in (args.config, args.checkpoint) if each] == [each for each in (config, checkpoint) if each]
    assert args.cfg_options == options


def test_options_without_an_entry_are_refused(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["test", "best.pth", "--cfg-options"])
    assert "--cfg-options: expected at least one argument" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["label", "photos", "--treshold", ".5"],
            "unrecognized arguments: --treshold .5. Did you mean '--threshold' or",
        ),
        (
            ["predict", "a.pth", "photos", "--out", "x", "--foramt=csv"],
            "unrecognized arguments: --foramt=csv. Did you mean '--format'",
        ),
        (["train", "cam_folder", "--zzzzzz"], "unrecognized arguments: --zzzzzz\n"),
    ],
)
def test_a_misspelt_option_is_told_the_nearest(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
