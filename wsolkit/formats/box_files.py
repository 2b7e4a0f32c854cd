"""Reads boxes for images in folders: a CSV, COCO's, CVAT's or Label Studio's file, or a folder of VOC's or YOLO's."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wsolkit.errors import DataError, printable
from wsolkit.formats.checked_boxes import refuse_fractions
from wsolkit.formats.coco import OURS, corners, read_instances
from wsolkit.formats.coco_entries import is_crowd
from wsolkit.formats.csv_boxes import read_csv_boxes
from wsolkit.formats.cvat import read_cvat
from wsolkit.formats.image_names import ImageNames, loose, without_hash
from wsolkit.formats.label_studio import read_label_studio
from wsolkit.formats.tool_boxes import ToolImage
from wsolkit.formats.voc import image_size, object_boxes, warn_of_zeros
from wsolkit.formats.yolo import read_labels, read_names, yolo_name
from wsolkit.text_files import read_text

__all__ = ["ImageBoxes", "read_boxes"]


class ImageBoxes(NamedTuple):
    """Boxes of one image, half open, with the name of each one's class (None: the image's own).

    ``size`` is the (width, height) they refer to, None for that of the image file. ``source`` is where they are from.
    """

    boxes: list[list[float]]
    names: list[str | None]
    difficult: list[bool]
    size: tuple[int, int] | None
    source: str


Measure = Callable[[str], tuple[int, int]]
"""Gives the (width, height) of an image by its id."""


def read_boxes(
    path: Path,
    names: ImageNames,
    images: Mapping[str, str],
    measure: Measure,
    peers: Iterable[str] = (),
    missing: list[str] | None = None,
) -> dict[str, ImageBoxes]:
    """Return the boxes by image id.

    Args:
        path: a ``.csv`` file with lines ``path,x0,y0,x1,y1[,class]`` (half open, in pixels; a heading may say where the
            columns are), a ``.json`` file in COCO's format or Label Studio's JSON, an ``.xml`` file of CVAT for images,
            a folder of PASCAL VOC's XML files named and nested like the images, a whole folder of VOC's, or one of
            YOLO's with ``labels`` and ``data.yaml`` or ``classes.txt``.
        names: finds the image id for a path that the file writes.
        images: image id to its path without split folder, whose suffix is replaced for XML and YOLO.
        measure: gives the size of an image, where the boxes are fractions of it.
        peers: paths, as those of ``images``, of all that a file in a folder may be named after.
        missing: gets what the file names and is no image; an error by default.

    Raises:
        DataError: the file is missing, malformed, or names an image that is not there or may be one of several.
    """
    found = None
    path = path / "Annotations" if (path / "ImageSets").is_dir() and (path / "Annotations").is_dir() else path
    if (path / "labels").is_dir():
        found = read_yolo_folder(path, images, peers, measure, missing)
    elif path.is_dir():
        found = read_xml_folder(path, images, peers, missing)
    elif path.suffix.lower() == ".json":
        listed = read_text(path, "Boxes").lstrip().startswith("[")
        found = of_tool(read_label_studio(path), names, missing) if listed else read_coco(path, names, missing)
    elif path.suffix.lower() == ".xml":
        found = of_tool(read_cvat(path), names, missing)
    elif path.suffix.lower() == ".csv":
        found = read_csv(path, names, missing)
    if found is not None:
        refuse_fractions((box for each in found.values() for box in each.boxes), str(path))
        if told := names.told(str(path)):
            warnings.warn(told, stacklevel=2)
        return found
    raise DataError(
        "Boxes should be a .csv file, a .json file of COCO or Label Studio, CVAT's .xml, a folder of .xml files or a "
        f"folder of YOLO's (labels/ and data.yaml), but none is at {path}."
    )


def known_image(names: ImageNames, name: str, where: str, missing: list[str] | None) -> str | None:
    """Return the id of the image that a file names; None where there is none, which ``missing`` is told.

    Raises:
        DataError: there is none and nobody collects those, or it may be one of several.
    """
    try:
        found = names.find(name)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    if found is None and missing is not None:
        missing.append(name)
    elif found is None:
        raise DataError(
            f"{where}: there is no image {printable(name)!r}. Write its path relative to data_root or the split folder."
        )
    return found


def read_csv(path: Path, names: ImageNames, missing: list[str] | None) -> dict[str, ImageBoxes]:
    """Return the boxes of a CSV file by image id."""
    found: dict[str, ImageBoxes] = {}
    for each in read_csv_boxes(path):
        where = f"{path}, line {each.line}"
        image_id = known_image(names, each.image, where, missing)
        if image_id is None:
            continue
        boxes = found.setdefault(image_id, ImageBoxes([], [], [], None, where))
        boxes.boxes.append(list(each.box))
        boxes.names.append(each.class_name)
        boxes.difficult.append(False)
    return found


def read_coco(path: Path, names: ImageNames, missing: list[str] | None) -> dict[str, ImageBoxes]:
    """Return the boxes of a COCO file by image id; crowds are difficult."""
    instances = read_instances(path)
    if instances.info.get("description") == OURS:
        warnings.warn(
            f"{path} began as boxes that wsolkit found: numbers count only where somebody has corrected them.",
            stacklevel=2,
        )
    found: dict[str, ImageBoxes] = {}
    for number, image in instances.images.items():
        where = f"COCO file {path}, image {number}"
        image_id = known_image(names, image["file_name"], where, missing)
        if image_id is None:
            continue
        annotations = instances.annotations.get(number, [])
        size = (image["width"], image["height"]) if image.get("width") and image.get("height") else None
        boxes = ImageBoxes(
            [corners(annotation, path) for annotation in annotations],
            [instances.categories[annotation["category_id"]] for annotation in annotations],
            [is_crowd(annotation) for annotation in annotations],
            size,
            where,
        )
        keep_once(found, image_id, boxes)
    return found


def keep_once(found: dict[str, ImageBoxes], image_id: str, boxes: ImageBoxes) -> None:
    """Keep the boxes of an image; the same said again is no mistake.

    Raises:
        DataError: other boxes of it are kept already.
    """
    first = found.setdefault(image_id, boxes)
    if first[:4] != boxes[:4]:
        raise DataError(f"{boxes.source}: {image_id!r} is there twice, with other boxes in {first.source}. Remove one.")


def of_tool(entries: Iterable[ToolImage], names: ImageNames, missing: list[str] | None) -> dict[str, ImageBoxes]:
    """Return the boxes of a labelling tool's file by image id."""
    found: dict[str, ImageBoxes] = {}
    for each in entries:
        image_id = known_image(names, each.name, each.where, missing)
        if image_id is not None:
            hard = [False] * len(each.boxes)
            keep_once(found, image_id, ImageBoxes(each.boxes, each.classes, hard, each.size, each.where))
    return found


def read_xml_folder(
    folder: Path, images: Mapping[str, str], peers: Iterable[str], missing: list[str] | None
) -> dict[str, ImageBoxes]:
    """Return the boxes of the images that have an XML file, nested like the image or directly in the folder."""
    found, everything = {}, []
    there = dict(named_like(images, folder, ".xml", peers))
    note_unused(folder, ".xml", there, missing)
    for image_id, path in there.items():
        objects = object_boxes(path)
        everything += objects
        found[image_id] = ImageBoxes(
            [list(one.box) for one in objects],
            [one.name for one in objects],
            [one.difficult for one in objects],
            image_size(path),
            f"Annotation {path}",
        )
    if not found:
        raise DataError(f"None of the {len(images)} images has an .xml file in {folder}. Name them like the images.")
    warn_of_zeros(everything, folder)
    return found


def note_unused(folder: Path, suffix: str, used: Mapping[str, Path], missing: list[str] | None) -> None:
    """Put the files of a folder that belong to no image into ``missing``, where somebody collects them."""
    if missing is not None:
        mine = set(used.values())
        missing += [
            path.relative_to(folder).as_posix() for path in sorted(folder.rglob(f"*{suffix}")) if path not in mine
        ]


def read_yolo_folder(
    folder: Path, images: Mapping[str, str], peers: Iterable[str], measure: Measure, missing: list[str] | None
) -> dict[str, ImageBoxes]:
    """Return the boxes of the images that have a label file, nested like the image or directly in ``labels``."""
    classes = read_names(folder)
    found = {}
    peers = list(peers)
    there = dict(named_like(images, folder / "labels", ".txt", peers))
    ours = {image_id: yolo_name(path) for image_id, path in images.items()}
    if ours != images:
        there |= named_like(ours, folder / "labels", ".txt", map(yolo_name, peers))
    note_unused(folder / "labels", ".txt", there, missing)
    for image_id, path in there.items():
        size = measure(image_id)
        boxes = read_labels(path, size, classes)
        found[image_id] = ImageBoxes(
            [list(one.box) for one in boxes],
            [classes[one.label] for one in boxes],
            [False] * len(boxes),
            size,
            f"Labels {path}",
        )
    if not found:
        raise DataError(f"None of the {len(images)} images has a .txt file in {folder / 'labels'}. Name them alike.")
    return found


def named_like(
    images: Mapping[str, str], folder: Path, suffix: str, peers: Iterable[str]
) -> Iterator[tuple[str, Path]]:
    """Yield (image id, file) of the images that have a file in a folder, nested like the image or directly in it.

    A file is named after the image without its ending or, as ``LabelNames`` does where two images differ in nothing
    else, with ``_`` for every dot of the name. Directly in the folder it may have Label Studio's hash before its name.

    Raises:
        DataError: a file may be of several images.
    """
    everyone = dict.fromkeys([*images.values(), *peers])
    alike: dict[PurePosixPath, list[str]] = defaultdict(list)
    for each in everyone:
        alike[PurePosixPath(each).with_suffix("")].append(each)
    namesakes = Counter(path.name for path in alike)
    hashed: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob(f"*{suffix}")):
        if without_hash(path.name) != loose(path.name):
            hashed[without_hash(path.name)].append(path)
    guessed = []
    for image_id, relative in images.items():
        name = PurePosixPath(relative).with_suffix("")
        own = folder / dotless(relative, suffix)
        plain = folder / f"{name}{suffix}"
        if len(alike[name]) > 1 and own.exists():
            yield image_id, own
        elif plain.exists():
            refuse_shared(plain, [each for each in alike[name] if not (folder / dotless(each, suffix)).exists()])
            yield image_id, plain
        elif (folder / plain.name).exists():
            refuse_shared(folder / plain.name, [relative, "..."][: namesakes[name.name]])
            yield image_id, folder / plain.name
        elif files := hashed.get(loose(plain.name), []):
            refuse_shared(files[0], [relative, "..."][: namesakes[name.name]])
            if len(files) > 1:
                raise DataError(f"{files[0]} and {files[1].name} both seem to be of {relative!r}. Remove one of them.")
            guessed.append((relative, files[0].name))
            yield image_id, files[0]
    if guessed:
        relative, file = guessed[0]
        warnings.warn(
            f"{folder} calls {len(guessed)} images otherwise; they were told by the names of their files, such as "
            f"{file!r} for {relative!r}.",
            stacklevel=3,
        )


def dotless(image: str, suffix: str) -> str:
    """Return how a label file is called where the image's name without its ending is taken: ``a_png.xml``."""
    return image.replace(".", "_") + suffix


def refuse_shared(path: Path, images: Sequence[str]) -> None:
    """Refuse a label file that may be of several images.

    Raises:
        DataError: it may.
    """
    if len(images) > 1:
        raise DataError(
            f"{path} may be of any image called {PurePosixPath(images[0]).stem!r}, such as {images[0]!r}. Nest the "
            f"files like the images, as {dotless(images[0], path.suffix)} where only the endings differ."
        )
