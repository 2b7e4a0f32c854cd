"""Imports point down only: tools and configs, plugins, the core's layers; the core knows no method.

Those inside functions and for type checking count too. ``python tests/test_imports.py`` prints the core's layers.
"""

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
    {"errors", "finder", "interrupts", "kernels", "sources"},
    {"arguments", "crf", "files", "progress", "threads", "modules", "versions", "names", "text_files"},
    {"folders", "lock", "maps", "registry", "weights"},
    {"interfaces"},
    {"evaluation"},
    {"plugins"},
    {"components"},
    {"model"},
    {"formats"},
    {"datasets"},
    {"config", "report"},
    {"features"},
    {"scoring"},
    {"training", "inference"},
    {"deploy", "hub", "pipeline"},
    {"benchmark", "labelling"},
    {"authoring", "builtin", "testing"},
    {"cli"},
    {"__main__"},
]
"""The parts of the core from the ground up; a part may import those of lower layers, none of its own."""

LEVEL = {part: number for number, layer in enumerate(LAYERS) for part in layer}


def imported(tree):
    """Yield (module, names) of all imports: inside functions, for type checking and by ``import_module("...")`` too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from named_by(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, ()


def named_by(node):
    """Yield (module, names) of an import statement."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, ()) for alias in node.names)
    else:
        assert node.level == 0, f"relative import in line {node.lineno}"
        yield node.module, tuple(alias.name for alias in node.names)


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
                below = other == part or LEVEL[other] < LEVEL[part]
                assert below, f"{path.relative_to(ROOT)} imports {reached}, which does not lie below {part}"
        if module == "wsolkit" and names:
            public = set(names) - set(LEVEL) - {"__version__"}
            assert not public, f"{path.relative_to(ROOT)} imports {public} from wsolkit itself; name the module instead"


def core_imports():
    """Return for each module of the core the modules of the core it imports, without ``wsolkit`` itself."""
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
    del edges["wsolkit"]  # gathers the public names
    return edges


def reachable(edges):
    """Return for each module those that it imports by way of others."""
    found = {}
    for name in edges:
        found[name], waiting = set(), [name]
        while waiting:
            new = edges.get(waiting.pop(), set()) - found[name]
            found[name] |= new
            waiting += new
    return found


def circles(edges):
    """Return the modules that import each other by way of others, each group sorted, the largest group first."""
    reached = reachable(edges)
    groups = {
        tuple(sorted(other for other in targets if name in reached.get(other, ())))
        for name, targets in reached.items()
        if name in targets
    }
    return sorted(groups, key=lambda group: (-len(group), group))


def test_no_two_modules_of_the_core_import_each_other():
    assert circles(core_imports()) == []


def test_circles_are_found():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": {"d", "x"}, "f": {"f"}}
    assert circles(edges) == [("a", "b", "c"), ("d", "e"), ("f",)]
    assert circles({"a": {"b"}, "b": {"c"}}) == []


def test_imports_are_found_wherever_they_are():
    source = """
import a
if TYPE_CHECKING:
    from b import c
else:
    import z
try:
    import d
except ImportError:
    pass
class One:
    import e
    def method(self):
        from f import g, h
def function():
    import_module("i")
    return importlib.import_module("j.k"), import_module(name), import_module(f"l.{name}")
"""
    plain = [(name, ()) for name in ("a", "d", "e", "z", "i", "j.k")]
    assert sorted(imported(ast.parse(source))) == sorted([*plain, ("b", ("c",)), ("f", ("g", "h"))])


def check_public(module, names, where):
    """Hold an import of wsolkit by what is no part of it to packages, and to the names that these export."""
    where = f"{where} imports {', '.join(names) or 'all'} from {module}"
    package = import_module(module)
    assert hasattr(package, "__path__"), f"{where}; import it from the package that exports it"
    assert set(names) <= set(package.__all__), f"{where}, where it is not public"


def check_public_alone(text, where):
    """Hold all imports of wsolkit in a piece of Python to public names."""
    for module, names in imported(ast.parse(text)):
        if module.split(".")[0] == "wsolkit":
            check_public(module, names, where)


def test_names_of_the_inside_are_found():
    check_public_alone("import torch, wsolkit\nfrom wsolkit import write_text", "a page")
    with pytest.raises(AssertionError, match="a page imports write_text from wsolkit.files; import it from"):
        check_public_alone("def f():\n    from wsolkit.files import write_text", "a page")
    with pytest.raises(AssertionError, match="a page imports config_files from wsolkit, where it is not public"):
        check_public_alone("from wsolkit import config_files", "a page")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_only_public_names(plugin):
    for path in plugin.rglob("*.py"):
        for module, names in imports_of(path):
            where = f"{path.relative_to(ROOT)} imports {module}"
            root = module.split(".")[0]
            if root == "wsolkit":
                check_public(module, names, path.relative_to(ROOT))
            else:
                assert not root.startswith("wsolkit_") or root == plugin.name, f"{where}, another plugin"
                assert root not in {"tools", "tests", "benchmarks", "configs"}, where


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_folder_is_complete(plugin):
    assert (plugin / "card.md").exists(), f"{plugin.name} needs a card.md with the headings {CARD}"
    for card in plugin.glob("*.md"):
        headings = [line.removeprefix("## ") for line in card.read_text("utf-8").splitlines() if line.startswith("## ")]
        assert headings == CARD, card
        hooks = (plugin / "__init__.py").read_text("utf-8")
        handed_over = card.name in hooks or "wsolkit_methods" not in hooks  # a data set has no paper
        assert handed_over, f"{plugin.name} does not hand over {card.name}"
    assert (plugin / "py.typed").exists(), f"{plugin.name} needs a py.typed, or its types are lost to its users"
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


def test_methods_are_read_without_torch():
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    assert getattr(importlib.import_module(name), 'wsolkit_methods', lambda: True)()\n"
        "sys.exit('torch' in sys.modules)"
    )
    names = [plugin.name for plugin in PLUGINS]
    assert subprocess.run([sys.executable, "-c", code, *names], check=False).returncode == 0


def test_evaluation_needs_no_torch():
    code = "import sys, wsolkit.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def layers_in_words():
    """Return the layers of the core from the ground up, a line each; packages end with a slash."""
    rows = [", ".join(sorted(f"{part}/" if (CORE / part).is_dir() else part for part in layer)) for layer in LAYERS]
    return "\n".join(f"{number:2}  {row}" for number, row in enumerate(rows, start=1))


def test_the_layers_name_every_part_of_the_core_once():
    found = {part_of(path) for path in CORE.rglob("*.py")} - {"__init__"}
    assert found == set(LEVEL), "LAYERS should hold what there is"
    assert sum(map(len, LAYERS)) == len(LEVEL), "a part stands in two layers"
    words = layers_in_words().splitlines()
    assert (len(words), words[0]) == (len(LAYERS), " 1  errors, finder, interrupts, kernels, sources/")
    assert f"{LEVEL['inference'] + 1:2}  inference/, training/" in words


if __name__ == "__main__":
    sys.stdout.write(f"{layers_in_words()}\n")
