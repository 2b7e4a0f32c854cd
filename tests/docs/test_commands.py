"""Every command of README, CONTRIBUTING, the cards and the site is one that wsolkit takes.

A command is parsed by the real parser; the configuration it names is loaded with the options it gives, so that a
misspelt name, option, key or value is an error here. Nothing is trained and no data is read: what needs minutes or data
is not run.
"""

import shlex
from functools import cache
from pathlib import Path

import pytest

from tests.support.snippets import commands_of
from wsolkit.benchmark.benchmark_file import read_benchmark
from wsolkit.cli.main import build_parser
from wsolkit.cli.model_argument import take_model
from wsolkit.config.find import benchmark_files, config_files
from wsolkit.config.load import load_config
from wsolkit.config.parse import parse_options
from wsolkit.config.read import read_config
from wsolkit.errors import nearest
from wsolkit.pipeline.pipeline_config import read_pipeline

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "RESULTS.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if not {"_build", "methods"} & set(path.parts)),
    *sorted((ROOT / "plugins").glob("*/*.md")),
]  # fmt: skip
FOUND = {path.relative_to(ROOT).as_posix(): commands_of(path.read_text("utf-8")) for path in PAGES}
PARSER = build_parser()
PLACEHOLDER = ("CONFIG", "CONFIG-OR-NAME", "FILE")


@cache
def check_config(name, options, command):
    """Load a shipped configuration with options, as the command would; placeholders in options stay out."""
    if command == "benchmark" and not options:
        return  # each shipped benchmark is read by tests of its own, which takes a while
    reads = {"benchmark": read_benchmark, "pipeline": read_pipeline}.get(command, load_config)
    given = parse_options([option for option in options if not option.startswith("$")])
    try:
        reads(name, given)
    except Exception as error:
        raise AssertionError(f"{name} with {', '.join(options)}: {error}") from error


def check_command(line):
    """Check a command without running it.

    Raises:
        AssertionError: the parser refuses it, or a shipped configuration or its options are misspelt.
    """
    words = shlex.split(line.replace("--seed S ", "--seed 0 "), comments=True)
    try:
        args = PARSER.parse_args(words[words.index("wsolkit") + 1 :])
    except SystemExit as refused:
        if refused.code:
            raise AssertionError(f"the parser refuses: {line}") from None
        return
    command = words[words.index("wsolkit") + 1]
    if command in ("test", "predict", "export"):
        take_model(args)
    name = getattr(args, "config", None) or getattr(args, "file", None)
    if command in ("evaluate", "boxes", "label", "compare", "list", "show") or name is None or name in PLACEHOLDER:
        return
    files = benchmark_files() if command == "benchmark" else config_files()
    if name in files:
        check_config(name, tuple(getattr(args, "cfg_options", ())), command)
    else:
        own = name.endswith((".py", ".yaml", ".json")) or name.startswith(("METHOD_", "my_"))  # of the reader
        assert own, f"{line}: nothing of that name is shipped. {nearest(name, files)}"


@pytest.mark.parametrize("page", [name for name, commands in FOUND.items() if commands])
def test_the_commands_of_a_page_are_taken(page, tmp_path, monkeypatch, capsys):
    (tmp_path / "photos").mkdir()  # what stands behind a configuration is a checkpoint unless it is a folder
    monkeypatch.chdir(tmp_path)
    wrong = []
    for line in dict.fromkeys(FOUND[page]):
        try:
            check_command(line)
        except AssertionError as error:
            wrong.append(f"{error}\n{capsys.readouterr().err}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("wsolkit predict best.pth photos", "refuses"),
        ("wsolkit train cam_fodler", "cam_folder"),
        ("wsolkit train cam_folder --cfg-options train_cfg.max_epoch=3", "max_epochs"),
        ("wsolkit benchmark birds5", "birds50"),
    ],
)
def test_a_misspelt_command_is_found(line, words):
    with pytest.raises(AssertionError, match=words):
        check_command(line)


def test_cards_say_where_a_configuration_needs_a_folder_of_data(monkeypatch):
    monkeypatch.setenv("WSOLKIT_DATA", "above")
    files, asked = config_files(), 0
    for page, commands in FOUND.items():
        for line in commands if page.endswith("card.md") else ():
            words = line.split()
            named = words[words.index("wsolkit") + 1] in ("train", "test", "pipeline")
            name = next((word for word in words if word in files), None) if named else None
            if name is not None and str(read_config(files[name]).get("data_root")).startswith("above"):
                asked += 1
                assert "data_root=" in line, f"{page}: {line}"
    assert asked > 50


def test_commands_are_found_in_every_kind_of_page():
    assert len(FOUND["README.md"]) > 20
    assert sum(map(len, FOUND.values())) > 120
