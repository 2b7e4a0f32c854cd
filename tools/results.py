"""Keep the numbers in RESULTS.md and in the cards those of the result files; measure them again where there is data.

    python tools/results.py                      # write what the result files say into the texts
    python tools/results.py --check              # say where a text says something else; writes nothing
    python tools/results.py --run synthetic      # run a shipped benchmark, keep its result file, and write the texts

benchmarks/results/NAME.json is the table of `wsolkit benchmark NAME` without the answer for each single image, and
NAME.md the same as it wrote it. A text has its numbers between two comments:

    <!-- results: birds50 -->                    the whole table
    <!-- results: birds50 | ADL | ADH -->        these methods beside the baseline and the best trivial box
    <!-- end of results -->
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"(<!-- results: (?P<asked>[^>]+?) -->\n)(?P<text>.*?)(<!-- end of results -->)", re.DOTALL)
DROPPED = ("curves", "hits", "trials", "facts")
"""What a kept result file leaves out: what belongs to single images and thresholds."""
SHOWN = ("GT-known", "MaxBoxAcc", "MaxBoxAccV2", "top-1", "mAP", "point mAP", "box mAP@50", "CorLoc")


def texts() -> Iterator[Path]:
    """Yield the files that may have numbers between the comments."""
    yield ROOT / "README.md"
    yield ROOT / "benchmarks" / "RESULTS.md"
    yield from sorted((ROOT / "plugins").glob("wsolkit_*/*.md"))


def filled(text: str, results: Path = RESULTS) -> str:
    """Return a text with the numbers of the result files between its comments.

    Raises:
        ValueError: a result file, or a method in it, is not there.
    """

    def block(found: re.Match[str]) -> str:
        name, *methods = (each.strip() for each in found["asked"].split("|"))
        told = rows_of(read(results / f"{name}.json"), name, methods) if methods else whole(results / f"{name}.md")
        return f"{found[1]}\n{told}\n\n{found[4]}"

    return BLOCK.sub(block, text)


def whole(path: Path) -> str:
    """Return the table as the benchmark wrote it."""
    if not path.is_file():
        raise ValueError(f"There is no {path}: python tools/results.py --run {path.stem} makes it")
    return path.read_text("utf-8").strip()


def read(path: Path) -> dict[str, Any]:
    """Return a kept result file."""
    if not path.is_file():
        raise ValueError(f"There is no {path}: python tools/results.py --run {path.stem} makes it")
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def rows_of(content: Mapping[str, Any], name: str, methods: Sequence[str]) -> str:
    """Return a small table of some methods beside the baseline and the best of the trivial boxes.

    Raises:
        ValueError: a method is not in the file.
    """
    lines = []
    for part in content["parts"]:
        rows = {row["name"]: row for row in part["rows"]}
        unknown = [method for method in methods if method not in rows]
        if unknown:
            raise ValueError(f"{name}.json has no method {', '.join(unknown)}; it has {', '.join(rows)}")
        columns = [each["title"] for each in part["columns"] if each["title"] in SHOWN]
        trivial = [row for row in part["rows"] if row["trivial"] and not row["boxes"]]
        blob = max(trivial, key=lambda row: mean_of(row, columns[0]))["name"]
        shown = list(dict.fromkeys([*methods, content["baseline"], blob]))
        lines += [
            f"`wsolkit benchmark {name}`: {part['images']} images of {part['data']}'s {part['split']} split, "
            "thresholds from val; percent, with 95 % intervals.",
            "",
            f"| | seeds | {' | '.join(columns)} |",
            "|---|" + "--:|" * (len(columns) + 1),
        ]
        for each in shown:
            cells = " | ".join(cell_of(rows[each], column) for column in columns)
            lines.append(f"| {each} | {len(rows[each]['seeds']) or ''} | {cells} |")
        told = [against(rows[each], each) for each in methods if rows[each]["against"].get("baseline")]
        lines += ["", *told] if told else []
    return "\n".join(lines).strip()


def mean_of(row: Mapping[str, Any], column: str) -> float:
    """Return a number of a row; lowest of all where it has none."""
    return row["numbers"][column]["mean"] if column in row["numbers"] else float("-inf")


def cell_of(row: Mapping[str, Any], column: str) -> str:
    """Return a number with its interval; nothing where the row has none."""
    number = row["numbers"].get(column)
    if not number:
        return ""
    interval = "" if number["low"] is None else rf" \[{number['low']:.1f}, {number['high']:.1f}\]"
    return f"{number['mean']:.1f}{interval}"


def against(row: Mapping[str, Any], name: str) -> str:
    """Return how a method differs from the baseline, what a test says to it, and on how many seeds where not on all."""
    other = row["against"]["baseline"]
    p = other["p_holm"]
    words = "p < .001" if p < 0.001 else f"p = {p:.2g}"
    seeds = "" if other["seeds"] is None else f", {other['seeds']} seed{'s' * (other['seeds'] != 1)}"
    verdict = "better" if other["better"] else "worse" if other["worse"] else "cannot be told apart"
    return (
        f"- {name} against {other['name']}: {other['difference']:+.1f} \\[{other['low']:+.1f}, {other['high']:+.1f}\\] "
        f"points, {words} (Holm, all methods of the table){seeds}: {verdict}."
    )


def kept(content: Any) -> Any:
    """Return the content of ``table.json`` without single images and thresholds, its numbers with four decimals.

    One that would be shown as another number then, such as 18.749999, stays as it is.
    """
    if isinstance(content, Mapping):
        return {key: kept(value) for key, value in content.items() if key not in DROPPED}
    if isinstance(content, list):
        return [kept(each) for each in content]
    if isinstance(content, float):
        short = round(content, 4)
        return short if f"{short:.1f}" == f"{content:.1f}" else content
    return content


def differing_cells(name: str, results: Path = RESULTS) -> list[str]:
    """Return the rows of ``NAME.md`` in which a number is not that of ``NAME.json``."""
    content, table = read(results / f"{name}.json"), (results / f"{name}.md").read_text("utf-8").splitlines()
    wrong = []
    for part in content["parts"]:
        for row in part["rows"]:
            lines = [line for line in table if line.startswith(f"| {row['name']} ") or f"| {row['name']}" in line[:80]]
            numbers = [cell_of(row, each["title"]) for each in part["columns"]]
            bare = [line.replace("*", "") for line in lines]
            if not any(all(number.split(" \\[")[0] in line for number in numbers) for line in bare):
                wrong.append(f"{name}.md: {row['name']}")
    return wrong


def keep(name: str, folder: Path) -> None:
    """Keep the table of a benchmark's folder as the result file of that name."""
    from wsolkit.files import write_text

    content = json.loads((folder / "table.json").read_text("utf-8"))
    write_text(RESULTS / f"{name}.json", json.dumps(kept(content), indent=None, ensure_ascii=False) + "\n")
    write_text(RESULTS / f"{name}.md", (folder / "table.md").read_text("utf-8"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the texts, or write them, after running benchmarks where asked; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where a text is not true")
    parser.add_argument("--run", nargs="+", default=[], metavar="NAME", help="run these benchmarks first")
    parser.add_argument("--keep", nargs=2, metavar=("NAME", "DIR"), help="take the table of a benchmark's folder")
    parser.add_argument("--jobs", type=int, default=1, help="processes of a benchmark (default: 1)")
    asked = parser.parse_args(arguments)
    for name in asked.run:
        from wsolkit.cli.main import main as wsolkit

        folder = ROOT / "benchmarks" / "runs" / name
        if status := wsolkit(["benchmark", name, "--out", str(folder), "--jobs", str(asked.jobs)]):
            return status
        keep(name, folder)
    if asked.keep:
        keep(asked.keep[0], Path(asked.keep[1]))
    stale = []
    for path in texts():
        text = path.read_text("utf-8")
        try:
            new = filled(text)
        except ValueError as error:
            stale.append(f"{path.relative_to(ROOT)}: {error}")
            continue
        if new != text and asked.check:
            stale.append(f"{path.relative_to(ROOT)} does not say what the result files say")
        elif new != text:
            path.write_text(new, "utf-8")
            print(f"written: {path.relative_to(ROOT)}")
    for path in sorted(RESULTS.glob("*.json")):
        stale += differing_cells(path.stem)
    for line in stale:
        print(line, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
