"""Reads whole data sets and reports what would go wrong in training or evaluation."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np

from wsolkit.datasets.check_report import Report, SplitCounts
from wsolkit.datasets.images import ImageDataset
from wsolkit.datasets.record import Record
from wsolkit.datasets.sixteen_bits import bits_used
from wsolkit.datasets.targets import ROUNDING
from wsolkit.errors import DataError
from wsolkit.progress import Shows, hidden
from wsolkit.threads import default_threads, in_order

__all__ = ["check_datasets"]

SMALL = 32
"""Images with a side shorter than this many pixels are reported."""

ERRORS = {
    "images that cannot be read": "error",
    "boxes or masks that cannot be read": "error",
    "empty or negative boxes": "error",
    "boxes wholly outside the image": "error",
    "boxes reaching out of the image": "warning",
    "sizes in the metadata that are not the file's": "warning",
    "very small images": "warning",
    "images of 16 bits that use fewer, scaled by those they use": "warning",
    "images without boxes and masks": "warning",
}
"""Kinds of problems of one image, and how bad they are."""


@dataclass
class Finding:
    """What was found in one image: a digest of its pixels, its numbers of boxes and masks, (problem, detail) pairs."""

    digest: bytes | None = None
    boxes: int = 0
    masks: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


def check_datasets(
    datasets: Mapping[str, ImageDataset], workers: int | None = None, small: int = SMALL, shows: Shows = hidden
) -> Report:
    """Read every image, box and mask of the splits and report what is wrong with them.

    Per split: unreadable images, boxes or masks; boxes that are empty, negative or outside; sizes that differ from the
    metadata's; images without labels; classes without images; one id or one content twice; very small images. Between
    splits: shared image ids, paths or contents (decoded pixels), and different class lists.

    Args:
        datasets: the data sets by split; boxes and masks are checked where ``load_targets`` is set.
        workers: threads that read; 0 reads in this one; by default one per core, at most 8.
        small: report images with a side shorter than this many pixels.
        shows: gives a progress display for a task's name and number of images.
    """
    report = Report()
    digests: dict[str, dict[bytes, list[str]]] = {}
    threads = default_threads() if workers is None else workers
    for split, dataset in datasets.items():
        records = [dataset.record(index) for index in range(len(dataset))]
        findings = []
        with shows(f"{split} split", len(records)) as advance:
            for finding in in_order(partial(check_image, dataset, small=small), records, threads):
                findings.append(finding)
                advance(1)
        digests[split] = by_digest(records, findings)
        add_split(report, split, dataset, records, findings, digests[split])
    add_understood(report, datasets)
    for first, second in combinations(datasets, 2):
        add_leaks(report, first, second, datasets, digests)
    return report


def check_image(dataset: ImageDataset, record: Record, small: int = SMALL) -> Finding:
    """Read one image with its boxes and masks."""
    finding = Finding()
    name = record["image_path"] or record["image_id"]
    try:
        image = dataset.read_image(record)
    except DataError as error:
        finding.problems.append(("images that cannot be read", str(error)))
        return finding
    height, width = image.shape[-2:]
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    finding.digest = hashlib.blake2b(pixels.data, digest_size=16, key=f"{width}x{height}".encode()).digest()
    if min(width, height) < small:
        finding.problems.append(("very small images", f"{name} ({width}x{height})"))
    bits = bits_used(record["image_path"]) if record["image_path"] else None
    if bits is not None:
        what = "images of 16 bits that use fewer, scaled by those they use"
        finding.problems.append((what, f"{name} ({bits} bits)"))
    stated = record.get("size", (width, height))
    if tuple(stated) != (width, height):
        detail = f"{name} ({stated[0]}x{stated[1]}, but the file has {width}x{height})"
        finding.problems.append(("sizes in the metadata that are not the file's", detail))
    if not dataset.load_targets:
        return finding
    try:
        targets = dataset.targets(record, (width, height))
    except DataError as error:
        finding.problems.append(("boxes or masks that cannot be read", str(error)))
        return finding
    finding.boxes, finding.masks = len(targets.boxes), int(targets.mask is not None)
    if not finding.boxes and not finding.masks:
        finding.problems.append(("images without boxes and masks", name))
    finding.problems += [
        (problem, f"{name} {[round(float(side), 1) for side in box]} in {width}x{height}")
        for box in targets.boxes
        if (problem := box_problem(box, width, height))
    ]
    return finding


def box_problem(box: Iterable[float], width: int, height: int) -> str | None:
    """Return what is wrong with a half-open box in an image, or None; half a pixel beyond the edge is rounding.

    >>> box_problem([0, 0, 5, 12], 10, 10)
    'boxes reaching out of the image'
    """
    x0, y0, x1, y1 = (float(side) for side in box)
    if not (x1 > x0 and y1 > y0):  # also for NaN
        return "empty or negative boxes"
    if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
        return "boxes wholly outside the image"
    if min(x0, y0) < -ROUNDING or x1 > width + ROUNDING or y1 > height + ROUNDING:
        return "boxes reaching out of the image"
    return None


def by_digest(records: list[Record], findings: list[Finding]) -> dict[bytes, list[str]]:
    """Return the image ids of each content."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for record, finding in zip(records, findings, strict=True):
        if finding.digest is not None:
            found[finding.digest].append(record["image_id"])
    return found


def add_split(
    report: Report,
    split: str,
    dataset: ImageDataset,
    records: list[Record],
    findings: list[Finding],
    contents: dict[bytes, list[str]],
) -> None:
    """Add what concerns one split."""
    per_class = [0] * len(dataset.classes)
    ids: dict[str, int] = defaultdict(int)
    for record in records:
        ids[record["image_id"]] += 1
        for label in record["labels"]:
            per_class[label] += 1
    report.counts[split] = SplitCounts(
        images=len(records),
        classes_with_images=sum(count > 0 for count in per_class),
        classes=len(per_class),
        boxes=sum(finding.boxes for finding in findings),
        masks=sum(finding.masks for finding in findings),
    )
    for what, severity in ERRORS.items():
        examples = [detail for finding in findings for kind, detail in finding.problems if kind == what]
        report.add(severity, split, what, examples)
    unlabelled = [record["image_id"] for record in records if not record["labels"]]
    report.add("warning" if dataset.multi_label else "error", split, "images without labels", unlabelled)
    missing = [name for name, count in zip(dataset.classes, per_class, strict=True) if count == 0]
    report.add("warning", split, "classes without images", missing)
    report.add("error", split, "image ids that occur twice", [name for name, count in ids.items() if count > 1])
    twice = [" = ".join(sorted(set(names))) for names in contents.values() if len(set(names)) > 1]
    report.add("warning", split, "identical images", twice)


def add_understood(report: Report, datasets: Mapping[str, ImageDataset]) -> None:
    """Add how the folders were understood, and what is in doubt about it: once for splits that share the doubt."""
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for split, dataset in datasets.items():
        found = dataset.understood()
        report.read += found.lines
        for what, places in found.doubts.items():
            shared.setdefault((what, tuple(places)), []).append(split)
    for (what, places), splits in shared.items():
        report.add("warning", ", ".join(splits), what, places)


def add_leaks(
    report: Report,
    first: str,
    second: str,
    datasets: Mapping[str, ImageDataset],
    digests: Mapping[str, dict[bytes, list[str]]],
) -> None:
    """Add what two splits share and should not; a shared image is reported once: by content, else by path, else id."""
    pair = f"{first}, {second}"
    one, other = datasets[first], datasets[second]
    if one.classes != other.classes:
        different = [
            f"{label}: {a!r} and {b!r}"
            for label, (a, b) in enumerate(zip(one.classes, other.classes, strict=False))
            if a != b
        ]
        counts = f"{len(one.classes)} and {len(other.classes)} classes"
        report.add("error", pair, "class lists that differ", different or [counts])
    contents = sorted(set(digests[first]) & set(digests[second]))
    report.add(
        "error",
        pair,
        "identical images in two splits",
        [f"{digests[first][digest][0]} = {digests[second][digest][0]}" for digest in contents],
    )
    reported = {name for digest in contents for name in digests[first][digest]}
    paths, other_paths = paths_by_id(one), paths_by_id(other)
    shared_paths = set(paths.values()) & set(other_paths.values()) - {""}
    same_path = {name: path for name, path in paths.items() if path in shared_paths and name not in reported}
    report.add("error", pair, "files in two splits", sorted(same_path.values()))
    same_id = {  # each COCO file counts from 1: an id says nothing where files and contents differ
        name
        for name in set(paths) & set(other_paths) - reported - set(same_path)
        if not (paths[name] and other_paths[name])
    }
    report.add("error", pair, "image ids in two splits", sorted(same_id))


def paths_by_id(dataset: ImageDataset) -> dict[str, str]:
    """Return the path of each image by its id."""
    records = (dataset.record(index) for index in range(len(dataset)))
    return {record["image_id"]: record["image_path"] for record in records}
