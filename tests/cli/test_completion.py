"""The script that completes commands: what it offers in a real shell, and that it costs nothing at start."""

import shutil
import subprocess

import pytest

from wsolkit.cli import completion
from wsolkit.cli.main import build_parser, main

ASK = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_shtab_wsolkit
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "wsolkit.bash"
    path.write_text(completion.completion_script(build_parser(), "bash"))
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("wsolkit pre", {"predict"}),
        ("wsolkit train cam_resnet50_c", {"cam_resnet50_cub"}),
        ("wsolkit train ow", {"owl.pth"}),
        ("wsolkit show C2AMHe", {"C2AMHead"}),
        ("wsolkit train --launcher py", {"pytorch"}),
        ("wsolkit test cam_folder ow", {"owl.pth"}),
        ("wsolkit export --overw", {"--overwrite"}),
        ("wsolkit data check cam_fo", {"cam_folder"}),
    ],
)
def test_bash_completes_commands_options_names_and_files(script, tmp_path, words, offered):
    (tmp_path / "owl.pth").write_text("")
    asked = ASK.format(script=script, words=words)
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert {line.strip() for line in done.stdout.splitlines()} == offered


def test_the_command_prints_a_script_for_each_shell(capsys):
    for shell, line in (("bash", "complete -o"), ("zsh", "#compdef wsolkit")):
        with pytest.raises(SystemExit) as stop:
            main(["--print-completion", shell])
        assert stop.value.code == 0
        assert line in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["--print-completion", "fish"])
    assert stop.value.code == 2
    assert "invalid choice: 'fish' (choose from" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_reads_its_script(tmp_path):
    (tmp_path / "_wsolkit").write_text(completion.completion_script(build_parser(), "zsh"))
    subprocess.run(["zsh", "-n", str(tmp_path / "_wsolkit")], check=True)
