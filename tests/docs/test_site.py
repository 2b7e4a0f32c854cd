"""The site builds without a warning, and what its pages say of keys and protocols is what the code has."""

import html
import importlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.drawn_images import CLASSES, ONE, ONE_LABEL, SEVERAL
from tests.support.snippets import blocks_of
from wsolkit.cli.main import build_parser
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.config.parse import parse_options
from wsolkit.config.read import read_config
from wsolkit.evaluation import BOXES, LOGITS, MASKS, MULTI_LABEL, PROTOCOLS, SINGLE_LABEL
from wsolkit.evaluation.results import LABEL_FREE, ORACLE, VAL
from wsolkit.evaluation.verdict import WORST
from wsolkit.plugins.loading import load_methods
from wsolkit.report.evaluation import Evaluation
from wsolkit.scoring.outcome import cuts_chosen_on, fill
from wsolkit.scoring.tally import Tally

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| (?!---)(.*) \|$", re.MULTILINE)


def rows_of(page, heading):
    """Return the cells of the rows of the tables behind a heading of a page, up to the next one of its kind."""
    section = (DOCS / page).read_text("utf-8").partition(f"{heading}\n")[2].partition("\n## ")[0]
    return [row.split(" | ") for row in ROW.findall(section)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site as ``make docs`` does, from a copy, and return the folder of its pages."""
    pytest.importorskip("sphinx", reason="needs the extra [docs]")
    root = tmp_path_factory.mktemp("site")
    for name in ("docs", "benchmarks"):
        shutil.copytree(DOCS.parent / name, root / name, ignore=shutil.ignore_patterns("_build", "methods", "*.py[co]"))
    for path in DOCS.parent.glob("*.md"):
        shutil.copy(path, root)
    for name in ("wsolkit", "plugins"):  # pages show pieces of the source
        (root / name).symlink_to(DOCS.parent / name)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", "html"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "html"


@pytest.mark.slow
@pytest.mark.timeout(600)  # the notebooks are run
def test_the_site_has_a_page_for_each_method_and_notebook_and_its_links_lead_somewhere(site):
    check_methods(site)
    check_notebooks(site)
    check_links(site)


def check_methods(site):
    index = (site / "methods" / "index.html").read_text("utf-8")
    methods = [method for method, source in load_methods() if source.distribution == "wsolkit"]
    for method in methods:
        [link] = re.findall(
            rf'<td><p><a [^>]*href="([^"]+)"[^>]*><span[^>]*>{re.escape(html.escape(method.name))}<', index
        )
        page = html.unescape((site / "methods" / link).read_text("utf-8"))
        assert method.title in page
        assert all(config in page for config in method.configs)
    assert len(list((site / "methods").glob("*.html"))) == len(methods) + 1


def check_notebooks(site):
    """Check that the pages of notebooks show what their cells gave: text, a picture, and no warning."""
    for book in (DOCS / "notebooks").glob("*.ipynb"):
        page = (site / "notebooks" / f"{book.stem}.html").read_text("utf-8")
        cells = [cell for cell in json.loads(book.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        assert page.count('class="cell_input') == len(cells)
        assert page.count('class="cell_output') >= len(cells) / 2
        assert '<img alt="../_images/' in page
        assert "Warning" not in page
        assert "Traceback" not in page


def check_links(site):
    """Check that no page links to a file of the repository."""
    for page in site.rglob("*.html"):
        for link in re.findall(r'href="([^"#?]+)', page.read_text("utf-8")):
            if "://" not in link and not link.startswith(("mailto:", "data:")):
                assert (page.parent / link).exists(), f"{page.name} leads to {link}"


def test_a_card_that_begins_with_equations_keeps_their_lines(monkeypatch):
    pytest.importorskip("sphinx", reason="needs the extra [docs]")
    monkeypatch.syspath_prepend(DOCS)
    pages = importlib.import_module("pages_of_methods")
    monkeypatch.delitem(sys.modules, "pages_of_methods")
    begun = {}
    for method in pages.methods_here():
        first = next(line for line in method.card_text().splitlines()[1:] if line.strip() and not line.startswith("# "))
        begun[method.name] = first
        assert f"\n{first}\n" in pages.page(method)
    assert begun["CBAM"].startswith("    channels")


@pytest.mark.parametrize(("page", "config"), [("label.md", "cam_folder"), ("reproduce.md", "cam_resnet50_cub")])
def test_the_keys_of_the_table_are_keys_of_the_configuration(page, config):
    cells = [row[1] for row in rows_of(page, "## I want ... → key") if len(row) == 2]
    keys = [key for cell in cells for key in re.findall(r"`([a-z_.0-9]+=[^` ]+)`", cell)]
    assert len(keys) > 15
    for cell in cells:
        options = parse_options(re.findall(r"`([a-z_.0-9]+=[^` ]+)`", cell))
        if options:
            load_config(config, options)


def test_every_configuration_looks_for_its_data_where_the_table_says(monkeypatch):
    monkeypatch.setenv("WSOLKIT_DATA", "above")
    rows = [row for row in rows_of("reproduce.md", "## Data")[1:] if len(row) == 4]
    folders = {ending.strip("`*"): row[2].strip("`") for row in rows for ending in row[1].split(", ")}
    for name, path in config_files().items():
        root = load_root(path)
        if root is not None and root != "data/photos":
            [ending] = [each for each in folders if f"{each}_" in f"{name}_"]
            assert root == f"above/{folders[ending]}", name


def load_root(path):
    """Return where a configuration looks for its data; nothing for one that has no folder, or is a pipeline."""
    config = read_config(path)
    return None if config.get("stages") else config.get("data_root")


def test_what_to_do_when_the_verdict_is_bad_is_told_for_every_reason_with_options_that_exist(capsys):
    rows = rows_of("label.md", "## When the verdict is bad")[1:]
    assert [row[0] for row in rows] == [words for _, words in WORST.values()]
    with pytest.raises(SystemExit):
        build_parser().parse_args(["label", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    page = (DOCS / "label.md").read_text("utf-8").partition("\n## By hand\n")[0]
    assert set(re.findall(r"(?<=`)--[a-z-]+", page)) - {"--cfg-options"} <= known
    own = next(text for language, text in blocks_of(page) if language == "python" and "label_objects" in text)
    for name in ("polarity", "larger"):
        assert f"`{name}` in `mine.py` below" in page
        assert name in own


def test_the_table_of_protocols_is_what_they_need():
    words = {BOXES: "boxes", MASKS: "masks", LOGITS: "logits", SINGLE_LABEL: SINGLE_LABEL, MULTI_LABEL: MULTI_LABEL}
    found = {row[0].strip("`"): set(row[2].split(", ")) for row in rows_of("protocols.md", "# Protocols")[1:]}
    assert found == {name: {words[need] for need in kind.needs} for name, kind in PROTOCOLS.items()}


def test_a_protocol_that_is_asked_for_by_name_says_so():
    told = {row[0].strip("`"): "asked for by name" in row[1] for row in rows_of("protocols.md", "# Protocols")[1:]}
    assert told == {name: not kind.by_default for name, kind in PROTOCOLS.items()}


def threshold_in_words(name):
    """Return where a protocol's threshold comes from when a split is scored beside a validation split."""
    protocol, images = PROTOCOLS[name](), SEVERAL if MULTI_LABEL in PROTOCOLS[name].needs else ONE_LABEL

    def tally(**options):
        kept = Tally([protocol], CLASSES, **options)
        for image in images:
            whole = replace(image, maps={**dict.fromkeys(range(CLASSES), ONE), **image.maps})
            kept.add(image.image_id, kept.rows(whole))
        return kept

    val = tally(choosing=True)
    [result] = fill(Evaluation(), tally(cuts=cuts_chosen_on(val), selection=VAL), val, None).results
    chosen = {line.selection for line in result.lines} - {ORACLE, LABEL_FREE}
    if len(chosen) == 2:
        return f"none for {result.lines[0].name}, val for the IoU"
    return "none" if chosen == {None} else "val" if protocol.sweeps else "val, by GT-known"


def test_where_a_protocols_threshold_comes_from_is_told_as_it_is():
    told = {row[0].strip("`"): row[3] for row in rows_of("protocols.md", "# Protocols")[1:]}
    assert told == {name: threshold_in_words(name) for name in PROTOCOLS}
