"""Try wsolkit in fresh environments: the oldest libraries, later ones, other Pythons, and each extra alone.

    python tools/fresh_environments.py                     # say what there is, and make nothing
    python tools/fresh_environments.py lowest onnx         # try these
    python tools/fresh_environments.py futures extras      # try all of these kinds

Each has a virtual environment of its own with the wheel, which is built here, and what it asks for, from the package
index. Its tests run in a folder made of the wheel and of the texts beside the code, so nothing of the checkout's code
is read. torch takes 6 GB, so it is linked from the running environment with what only torch needs; another Python has
the same torch of its own with that one's CUDA, and the lowest versions have all of their own. What the index does not
have and a Python that is not there are skipped, in words. The exit status is 1 where a test fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXTS = ("tests", "docs", "benchmarks", "tools", "*.md", "CITATION.cff", "LICENSE", "Makefile", "pyproject.toml")
"""What lies beside the code in a checkout and tests may read."""

CUDA = r"nvidia-.*|cuda-.*"
LINKED = rf"torch|torchvision|triton|{CUDA}"
"""Distributions that an environment sees where they are already; those of CUDA do for every Python."""

TESTERS = ("pytest", "pytest-timeout", "hypothesis")
"""What runs the tests, out of the extra [test]: the rest of it would bring what an environment is to do without."""


class NotHereError(Exception):
    """An environment that cannot be made here; the words say why."""


class BrokenError(Exception):
    """An environment in which something went wrong."""


@dataclass(frozen=True)
class Environment:
    """A fresh environment: what is installed beside the wheel, and what is tried there.

    Args:
        kind: ``futures``, or ``extras``, whose environments are called after the extra.
        about: what it is, in some words.
        extra: the extra that is installed with the wheel.
        wants: what else is installed.
        lowest: install the lowest version of each dependency.
        instead: what is then taken away, and what is installed in its place.
        python: the command of the Python; by default the running one.
        imports: modules that must be there.
        tests: files of tests to run.
    """

    kind: str
    about: str
    extra: str = ""
    wants: Sequence[str] = ()
    lowest: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    imports: Sequence[str] = ()
    tests: Sequence[str] = ()

    @property
    def linked(self) -> str:
        """The distributions that are linked from the running environment: what their names match."""
        return "" if self.lowest else CUDA if self.python else LINKED


def environments() -> dict[str, Environment]:
    """Return the environments of the table beside this file, by name."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    essential, futures, extras = table["essential"], table["futures"], table["extras"]
    for key in ("imports", "tests"):
        extras["all"][key] = [each for name in extras if name != "all" for each in extras[name][key]]
    return {name: Environment("futures", tests=essential, **given) for name, given in futures.items()} | {
        name: Environment("extras", extra=name, **given) for name, given in extras.items()
    }


ENVIRONMENTS = environments()


def chosen(names: Iterable[str]) -> list[str]:
    """Return the names of environments, each once, in the place of those of kinds.

    Raises:
        ValueError: one is neither.
    """
    found: dict[str, None] = {}
    kinds = sorted({each.kind for each in ENVIRONMENTS.values()})
    for name in names:
        members = [each for each, environment in ENVIRONMENTS.items() if name in (each, environment.kind)]
        if not members:
            raise ValueError(f"There is no environment {name!r}. Choose from {', '.join([*kinds, *ENVIRONMENTS])}.")
        found.update(dict.fromkeys(members))
    return list(found)


def lowest(requirements: Iterable[str]) -> list[str]:
    """Return requirements with the lower bound as the version.

    Raises:
        ValueError: one has no lower bound.

    >>> lowest(["numpy>=1.26", "mmengine>=0.10.7,<0.11", "weights==0.1.0"])
    ['numpy==1.26', 'mmengine==0.10.7', 'weights==0.1.0']
    """
    found = []
    for requirement in requirements:
        parts = re.match(r"([\w.-]+)\s*[>=]=\s*([\w.]+)", requirement)
        if parts is None:
            raise ValueError(f"The requirement {requirement!r} needs a lower bound, as in numpy>=1.26.")
        found.append(f"{parts[1]}=={parts[2]}")
    return found


def requirements(environment: Environment, wheel: str) -> list[str]:
    """Return what pip is asked for at once."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[<>=~\[]", each)[0]: each for each in project["optional-dependencies"]["test"]}
    bounds = lowest(project["dependencies"]) if environment.lowest else []
    itself = f"{wheel}[{environment.extra}]" if environment.extra else wheel
    if environment.python:  # the torch whose CUDA is linked
        bounds = [f"torch=={metadata.version('torch').partition('+')[0]}"]
    return [itself, *bounds, *environment.wants, *(names[each] for each in TESTERS)]


def interpreter(environment: Environment) -> str:
    """Return the Python that an environment is made with.

    Raises:
        NotHereError: there is none.
    """
    if not environment.python:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    own = sorted(pyenv.glob(f"versions/*/bin/{environment.python}"))
    for found in filter(None, [shutil.which(environment.python), *map(str, own)]):
        if subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
            return found  # a command of pyenv's that leads to no version fails
    raise NotHereError(f"there is no {environment.python} on this machine; install it and run this again")


def run(command: Sequence[str | Path], folder: Path, *, shown: bool = False) -> str:
    """Run a command without the settings of this environment; what it prints is returned, or ``shown`` as it comes.

    Raises:
        NotHereError: pip finds no such version.
        BrokenError: it fails.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WSOLKIT", "VIRTUAL"))}
    done = subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env={**kept, "PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stdout or ""
        if lacking := re.search(r"No matching distribution found for (\S+)", said):
            raise NotHereError(f"the package index has no {lacking[1]} for it, or cannot be reached")
        raise BrokenError(f"{' '.join(map(str, command[1:4]))} ... failed\n{said}".strip())
    return done.stdout or ""


def link(pattern: str, folder: Path) -> None:
    """Make a folder in which Python and pip find some of the running environment's distributions, and nothing else."""
    folder.mkdir()
    for found in metadata.distributions():
        if re.fullmatch(pattern, found.metadata["Name"]):
            for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
                if not (folder / top).exists():
                    (folder / top).symlink_to(Path(found.locate_file(top)).resolve())


def lay_out(folder: Path, site: Path) -> None:
    """Make a checkout whose code is the installed wheel's, for tests that read files beside the code."""
    (folder / "plugins").mkdir(parents=True)
    made = shutil.ignore_patterns("__pycache__", "_build", "methods", "runs")
    for pattern in TEXTS:
        for path in ROOT.glob(pattern):
            if path.is_dir():
                shutil.copytree(path, folder / path.name, ignore=made)
            else:
                shutil.copy(path, folder)
    (folder / "wsolkit").symlink_to(site / "wsolkit")
    (folder / "configs").symlink_to(site / "wsolkit" / "configs")
    for plugin in site.glob("wsolkit_*"):
        (folder / "plugins" / plugin.name).symlink_to(plugin)


def build(folder: Path) -> Path:
    """Build the wheel and return its path."""
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def attempt(name: str, wheel: Path, folder: Path) -> str:
    """Make an environment in a folder, try it there, and return what was installed of what matters.

    Raises:
        NotHereError: it cannot be made here.
        BrokenError: it does not work.
    """
    environment = ENVIRONMENTS[name]
    run([interpreter(environment), "-m", "venv", folder / "venv"], folder)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    if environment.linked:
        link(environment.linked, folder / "linked")
        (site / "linked.pth").write_text(f"{folder / 'linked'}\n", encoding="utf-8")
    pip = [python, "-m", "pip", "--quiet"]
    run([*pip, "install", "--no-compile", *requirements(environment, str(wheel))], folder)
    for old, new in environment.instead.items():
        run([*pip, "uninstall", "--yes", old], folder)
        run([*pip, "install", "--no-compile", new], folder)
    lay_out(folder / "checkout", site)
    run([python, "-c", "; ".join(f"import {each}" for each in ("wsolkit", *environment.imports))], folder)
    run([site.parents[2] / python.parent.name / "wsolkit", "list"], folder)
    said = run([python, "-c", "from wsolkit.versions import versions; print(versions())"], folder).strip()
    print(f"{name}: {said}", flush=True)
    run([python, "-m", "pytest", "-q", "-rs", *environment.tests], folder / "checkout", shown=True)
    return said


def outcomes(names: Iterable[str], kept: Path | None) -> Iterator[tuple[str, str, str]]:
    """Try environments one after the other; yield the name of each, how it ended, and why."""
    with tempfile.TemporaryDirectory(prefix="wsolkit-environments-") as made:
        wheel = build(Path(made))
        for name in names:
            folder = Path(kept or made).resolve() / name
            try:
                folder.mkdir(parents=True)
                attempt(name, wheel, folder)
            except NotHereError as error:
                yield name, "skipped", str(error)
            except (BrokenError, OSError) as error:
                yield name, "failed", str(error)
            else:
                yield name, "passed", ENVIRONMENTS[name].about
            if kept is None:
                shutil.rmtree(folder, ignore_errors=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Try the environments that a command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="an environment, or futures or extras")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make them in here, and leave them there")
    arguments = parser.parse_args(argv)
    if not arguments.names:
        for name, environment in ENVIRONMENTS.items():
            print(f"{name:11} {environment.kind}: {environment.about}")
        return 0
    try:
        names = chosen(arguments.names)
    except ValueError as error:
        parser.error(str(error))
    ended = []
    for outcome in outcomes(names, arguments.keep):
        print("{}: {}: {}".format(*outcome), flush=True)
        ended.append(outcome)
    print("\n" + "\n".join(f"{name:11} {how}: {why.partition(chr(10))[0]}" for name, how, why in ended))
    return int(any(how == "failed" for _, how, _ in ended))


if __name__ == "__main__":
    sys.exit(main())
