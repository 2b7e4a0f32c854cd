"""Takes the numbers out of what wsolkit writes, by their meaning: the one place that knows the shape of these files.

When ``results.json``, ``stage.json`` or the files of score maps change their shape, change these functions and leave
the golden files as they are: the numbers have to stay the same.
"""

import json
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

DIGITS = 6
WILSON = "Wilson"


def number(value):
    """Return a number as the golden files have it."""
    return round(value, DIGITS) if isinstance(value, float) else value


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def evaluation_numbers(path):
    """Return the numbers of a ``results.json`` of ``wsolkit test``, ``wsolkit evaluate`` or the stage Test.

    Returns:
        ``about``: split, images and whose boxes were judged; ``protocols``: by protocol and name of the number, with
        how the threshold was chosen; ``classes``: by protocol, the number of each class; ``baselines``: by trivial
        baseline, its protocols; ``trials``: the outcomes.
    """
    content = read_json(path)
    found = {"about": {name: content[name] for name in ("split", "images", "extractor")}}
    found["protocols"] = {result["metric"]: line_numbers(result["lines"]) for result in content["results"]}
    found["classes"] = {
        f"{result['metric']}: {name}": {label: number(value) for label, value in each.items()}
        for result in content["results"]
        for name, each in {"first": result["each_class"], **result["more_each_class"]}.items()
        if each
    }
    found["baselines"] = {
        name: {result["metric"]: line_numbers(result["lines"]) for result in results}
        for name, results in content["baselines"].items()
    }
    found["trials"] = trial_numbers(content["trials"], content["trials_at"])
    return found


def line_numbers(lines):
    """Return the numbers of a protocol; the intervals of a bootstrap are left out, they depend on numpy's version."""
    found = {}
    for line in lines:
        names = ["percent", "macro", "n", "threshold"] + (["low", "high"] if line["interval"] == WILSON else [])
        key = line["name"] if line["selection"] is None else f"{line['name']}, {line['selection']}"
        assert key not in found
        found[key] = {name: number(line[name]) for name in names}
    return found


def trial_numbers(trials, at):
    """Return how many trials had each outcome, their mean IoU, and a checksum of the boxes in thousandths."""
    if not trials:
        return {}
    boxes = np.round(1000 * np.array([trial["box"] for trial in trials])).astype(np.int32)
    return {
        "at": {name: number(at[name]) for name in ("threshold", "selection", "iou")},
        "outcomes": dict(sorted(Counter(trial["outcome"] for trial in trials).items())),
        "mean IoU": number(float(np.mean([trial["iou"] for trial in trials]))),
        "right class": Counter(str(trial["right_class"]) for trial in trials)["True"],
        "boxes": zlib.crc32(boxes.tobytes()),
    }


def stage_numbers(folder):
    """Return the numbers a stage of a pipeline returned."""
    return {name: number(value) for name, value in sorted(read_json(Path(folder) / "stage.json")["numbers"].items())}


def map_numbers(folder):
    """Return what the score maps of a folder are: by image and class, height, width, sum and checksum in sixteenths."""
    found = {}
    for path in sorted((Path(folder) / "maps").rglob("*.npz")):
        arrays = np.load(path)
        name = path.relative_to(Path(folder) / "maps").as_posix().removesuffix(".npz")
        found[name] = {"image": arrays[f"{name}/width,height"].tolist()}
        for label in sorted(int(key.rpartition("/")[2]) for key in arrays if key != f"{name}/width,height"):
            each = arrays[f"{name}/{label}"]
            sixteenths = 16 * each.astype(np.float64)
            assert (sixteenths == np.round(sixteenths)).all()
            whole = sixteenths.astype(np.uint8)
            found[name][f"class {label}"] = [*whole.shape, int(whole.sum()), zlib.crc32(whole.tobytes())]
    return found


def flat(content, place=""):
    """Return nested numbers by the path that leads to them."""
    if not isinstance(content, dict):
        return {place: content}
    return {key: value for name, each in content.items() for key, value in flat(each, f"{place} / {name}").items()}


def differences(golden, found):
    """Return a line for each number that is not as it was."""
    golden, found = flat(golden), flat(found)
    lines = [f"{key}: was {golden[key]!r}, is gone" for key in golden.keys() - found.keys()]
    lines += [f"{key}: is new, {found[key]!r}" for key in found.keys() - golden.keys()]
    lines += [
        f"{key}: was {golden[key]!r}, is {found[key]!r}"
        for key in golden.keys() & found.keys()
        if not equal(golden[key], found[key])
    ]
    return sorted(lines)


def equal(one, other):
    """Whether two numbers are the same but for the last digit that is kept."""
    if isinstance(one, float) and isinstance(other, (int, float)):
        return abs(one - other) < 2 * 10**-DIGITS
    return one == other
