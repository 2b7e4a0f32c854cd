"""The page a user looks at: every picture, the doubtful ones first, what went wrong, and verdicts to be given by keys.

The browser keeps the verdicts. What it saves, ``verdicts.json``, is a COCO data set of the judged images alone: each
has a ``verdict``, accepted or rejected, and those that were accepted have their boxes; the boxes of the others are in
``rejected`` of the image itself, so that nobody trains on them. Accepted without a box means that there is nothing to
be found. What was given back before is shown as it was said then.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from wsolkit.errors import DataError, printable
from wsolkit.files import whole_file
from wsolkit.formats.coco import bbox_of
from wsolkit.formats.found_boxes import ACCEPTED, OUTDATED, REJECTED, Failure, ImageResult
from wsolkit.inference.given_classes import FOLDER, GIVEN, PREDICTED
from wsolkit.inference.pictures import PICTURES, Picture
from wsolkit.inference.run_summary import RunSummary
from wsolkit.progress import pace
from wsolkit.report.page import breakable

__all__ = ["PAGE", "write_page"]

PAGE = "index.html"
TEMPLATE = "page.html.j2"
MOST_FAILURES = 500


def write_page(
    folder: Path,
    pictures: Sequence[Picture],
    failures: Iterable[Failure],
    classes: Sequence[str],
    settings: Mapping[str, Any],
    summary: RunSummary,
) -> Path:
    """Write ``index.html`` with the pictures in ``pictures/`` and return its path.

    Args:
        folder: the run's folder.
        pictures: what was drawn, most doubtful first.
        failures: images that could not be read.
        classes: names of the classes.
        settings: what the run was made with.
        summary: its counts.

    Raises:
        DataError: the page cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    counts = Counter(found for picture in pictures for found in class_names_of(picture))
    with_box = [picture for picture in pictures if picture.result.boxes]
    content = environment.get_template(TEMPLATE).generate(
        run={"key": key_of(settings), "categories": categories(classes)},
        verdict=summary.verdict,
        next_steps=summary.next_steps,
        title=f"{subject(settings)}: {summary.boxes} boxes in {summary.images} images",
        facts=facts(settings, summary),
        classes=sorted(counts.items()),
        count=len(with_box),
        cards=cards(with_box, folder, classes, summary.sample),
        sample=summary.sample,
        boxless=cards([picture for picture in pictures if not picture.result.boxes], folder, classes),
        without_box=summary.without_box,
        failures=islice(failures, MOST_FAILURES),
        failed=summary.failed,
        most_failures=MOST_FAILURES,
        chosen=len(pictures) if len(pictures) < summary.images else None,
        images=summary.images,
        printable=printable,
        breakable=breakable,
    )
    try:
        with whole_file(folder / PAGE) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as file:
            file.writelines(content)
    except OSError as error:
        raise DataError(f"The page cannot be written to {folder}: {error.strerror or error}. Make room.") from error
    return folder / PAGE


def class_names_of(picture: Picture) -> list[str]:
    """Return the names of the classes that have a box, each once."""
    return list(dict.fromkeys(found.class_name for found in picture.result.boxes))


def cards(
    pictures: Iterable[Picture], folder: Path, classes: Sequence[str], sample: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield what the page says of each picture; ``sample`` holds names in the order they were drawn in at random."""
    places = {name: place for place, name in enumerate(sample)}
    for picture in pictures:
        result = picture.result
        best = result.boxes[0] if result.boxes else None
        likeliest = (classes[result.top[0][0]], result.top[0][1]) if result.top else None
        yield {
            "source": f"{PICTURES}/{picture.name}" if (folder / PICTURES / picture.name).exists() else None,
            "parts": f"{PICTURES}/{picture.parts_name}" if (folder / PICTURES / picture.parts_name).exists() else None,
            "name": result.image_id,
            "number": picture.number,
            "key": picture.key,
            "trust": picture.trust,
            "doubt": picture.box_doubt,
            "image": json.dumps(image_of(result)),
            "verdict": result.verdict if result.verdict in (ACCEPTED, REJECTED) else "",
            "outdated": result.verdict == OUTDATED,
            "sample": places.get(result.image_id, len(places)),
            "classes": json.dumps(class_names_of(picture)),
            "boxes": result.boxes[:8],
            "more": max(len(result.boxes) - 8, 0),
            "instead": likeliest if likeliest and (best is None or likeliest[0] != best.class_name) else None,
            "size": result.size,
        }


def key_of(settings: Mapping[str, Any]) -> str:
    """Return what the browser keeps the verdicts of a run under: a digest of its settings."""
    told = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def categories(classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the classes as COCO lists them, counted from 1."""
    return [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]


def image_of(result: ImageResult) -> dict[str, Any]:
    """Return what ``verdicts.json`` says of an image that is accepted, its boxes as COCO has them."""
    boxes: list[dict[str, Any]] = []
    for found in result.boxes:
        boxes.append({"category_id": found.class_index + 1, "bbox": bbox_of(found.box, digits=2)})
        if found.mask is not None:
            boxes[-1]["segmentation"] = found.mask.coco()
    width, height = result.size
    return {"file_name": result.image_id, "width": width, "height": height, "boxes": boxes}


def facts(settings: Mapping[str, Any], summary: RunSummary) -> list[tuple[str, str]]:
    """Return what stands at the head of the page, as names and values."""
    threshold = f"{settings['threshold']:g} of the map's maximum, {settings['threshold_source']}"
    found = [
        ("config", str(settings.get("config", "built in Python"))),
        ("checkpoint", "{} {}".format(settings.get("checkpoint", "none"), settings.get("checkpoint_sha256", "")[:10])),
        ("threshold", threshold),
        ("classes", class_rule(settings)),
        ("images", f"{summary.images} read, {summary.failed} unreadable"),
        ("boxes", f"{summary.boxes}; {summary.without_box} images without one"),
        ("rejected", f"{summary.rejected} images, in no file to train from" if summary.rejected else ""),
        ("input", "{1} x {0} pixels".format(*settings["input_size"])),
    ]
    if summary.computed:
        rate = pace(summary.computed, summary.seconds, "images")
        found.append(("time", f"{summary.seconds:.1f} s for {summary.computed} images, {rate}"))
    return [(name, value) for name, value in found if value.strip()]


def subject(settings: Mapping[str, Any]) -> str:
    """Say what the boxes are of: labelled photographs, or what a configuration found."""
    return "Labels" if settings["classes"] == GIVEN else str(settings.get("config", "wsolkit"))


def class_rule(settings: Mapping[str, Any]) -> str:
    """Say in words which classes of an image have boxes."""
    above = settings["min_score"] if settings["min_score"] is not None else (0.5 if settings["multi_label"] else None)
    if settings["classes"] != PREDICTED:
        said = {FOLDER: "the name of the image's folder", GIVEN: "as the labels say"}
        rule = said.get(settings["classes"]) or f"as {settings['classes'].rpartition(' ')[0]} says"
        above = settings["min_score"]
    elif settings["topk"] is not None:
        rule, above = f"the {settings['topk']} likeliest", settings["min_score"]
        rule = "the likeliest" if settings["topk"] == 1 else rule
    else:
        rule = "the likeliest" if above is None else "all"
    return rule if above is None else f"{rule}, where the probability is above {above:g}"
