"""Imports point down only: tools and configs, plugins, the core's layers; the core knows no method."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "wsolkit"
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists())
CARD = ["Use", "Parts", "Settings", "What differs from the paper and why", "Numbers", "Reference"]
FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "base"}

LAYERS = [
    {"errors"},
    {"files", "progress", "threads", "methods", "hookspecs", "maps", "structures", "checkpoint", "modules"},
    {"registry", "evaluation"},
    {"interfaces"},
    {"plugins"},
    {"components"},
    {"model"},
    {"formats"},
    {"datasets"},
    {"config", "report"},
    {"scoring"},
    {"training", "inference"},
    {"pipeline"},
    {"builtin"},
    {"cli", "__main__"},
]
"""The parts of the core from the ground up, one layer a line; a part may import its own layer and those before it."""

UPWARDS = {
    ("interfaces", "model"): "for type checking only",
}
"""Imports that point up nevertheless, and why they may."""

LEVEL = {part: number for number, layer in enumerate(LAYERS) for part in layer}


def imported(tree, inside_functions=False):
    """Yield (module, names) of the imports of a module, without those for type checking or inside functions."""
    for node in tree.body if hasattr(tree, "body") else []:
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield node.module, tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.ClassDef)):
            yield from imported(node)
            yield from imported(ast.Module(body=getattr(node, "orelse", []), type_ignores=[]))


def imports_of(path):
    """Return the imports of a file."""
    return list(imported(ast.parse(path.read_text("utf-8"), str(path))))


def modules_of(module, names):
    """Return the modules an import reaches: ``from wsolkit import plugins`` reaches ``wsolkit.plugins``."""
    found = [module]
    folder = ROOT / module.replace(".", "/")
    found += [f"{module}.{name}" for name in names if (folder / name).is_dir() or (folder / f"{name}.py").exists()]
    return found


def part_of(path):
    """Return the part of the core a file belongs to."""
    return path.relative_to(CORE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_downwards(path):
    part = part_of(path)
    if part == "__init__":
        return  # gathers the public names
    assert part in LEVEL, f"put the new part {part!r} into LAYERS"
    for module, names in imports_of(path):
        for reached in modules_of(module, names):
            assert not reached.startswith("wsolkit_"), f"{path} imports the plugin {reached}; the core knows no method"
            if reached.startswith("wsolkit."):
                other = reached.split(".")[1]
                assert other in LEVEL, f"put the new part {other!r} into LAYERS"
                allowed = LEVEL[other] <= LEVEL[part] or (part, other) in UPWARDS
                assert allowed, f"{path.relative_to(ROOT)} imports {reached}, which lies above {part}"
        if module == "wsolkit" and names:
            public = set(names) - set(LEVEL) - {"__version__"}
            assert not public, f"{path.relative_to(ROOT)} imports {public} from wsolkit itself; name the module instead"


def knots(edges):
    """Return the modules that import themselves by way of others."""
    reached = {name: set(targets) for name, targets in edges.items()}
    changed = True
    while changed:
        changed = False
        for targets in reached.values():
            more = set().union(*(reached.get(target, set()) for target in targets)) - targets
            if more:
                targets |= more
                changed = True
    return sorted(name for name, targets in reached.items() if name in targets)


def test_no_two_modules_of_the_core_import_each_other():
    edges = {}
    for path in CORE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        edges[name] = {
            reached
            for module, names in imports_of(path)
            for reached in modules_of(module, names)
            if reached.startswith("wsolkit.") and reached != name
        }
    assert knots(edges) == []


def test_the_knot_finder_finds_a_knot():
    assert knots({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_only_public_names(plugin):
    for path in plugin.rglob("*.py"):
        for module, names in imports_of(path):
            where = f"{path.relative_to(ROOT)} imports {', '.join(names) or 'all'} from {module}"
            root = module.split(".")[0]
            if root == "wsolkit":
                package = import_module(module)
                assert hasattr(package, "__path__"), f"{where}; import it from the package that exports it"
                assert set(names) <= set(package.__all__), f"{where}, where it is not public"
            else:
                assert not root.startswith("wsolkit_") or root == plugin.name, f"{where}, another plugin"
                assert root not in {"tools", "tests", "benchmarks", "configs"}, where


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_folder_is_complete(plugin):
    card = plugin / "card.md"
    assert card.exists(), f"{plugin.name} needs a card.md with the headings {CARD}"
    headings = [line.removeprefix("## ") for line in card.read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings == CARD
    declared = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'= "{plugin.name}"' in declared, f"{plugin.name} has no entry point in pyproject.toml"
    assert (ROOT / "tests" / "plugins" / f"test_{plugin.name}.py").exists()


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("*.py")), ids=lambda path: path.name)
def test_tools_import_only_wsolkit_and_libraries(path):
    for module, _ in imports_of(path):
        root = module.split(".")[0]
        assert root == "wsolkit" or not root.startswith("wsolkit_"), f"{path.name} imports the plugin {module}"
        assert not (ROOT / "tools" / f"{root}.py").exists() or root in sys.stdlib_module_names, (
            f"{path.name} imports {module}, another tool"
        )


def test_nothing_has_a_name_that_says_nothing():
    trees = [CORE, ROOT / "plugins", ROOT / "tools", ROOT / "tests", ROOT / "configs"]
    for path in (each for tree in trees for each in tree.rglob("*")):
        words = set(path.name.removesuffix(".py").split("_"))
        if path.suffix in ("", ".py") and "__pycache__" not in path.parts and path.name != "_base_":
            assert not words & FORBIDDEN, f"{path.relative_to(ROOT)} should be called after what it holds"


def test_evaluation_needs_no_torch():
    code = "import sys, wsolkit.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
