"""What the entries of a COCO file have to be: images, categories and annotations that were written by anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsolkit.errors import DataError, first_few, shortened
from wsolkit.formats.checked_boxes import checked_size

__all__ = [
    "annotations_by_image",
    "categories_by_id",
    "checked_content",
    "each_file_once",
    "images_by_id",
    "is_crowd",
    "shown",
]

LISTS = ("images", "annotations", "categories")
CROWDS = {0: False, 1: True, "0": False, "1": True, None: False}
"""What ``iscrowd`` may be; true and false are 1 and 0."""


def checked_content(content: Any, path: Path) -> dict[str, Any]:
    """Return what a COCO file holds: an object with three lists of objects.

    Raises:
        DataError: it is something else, such as the list of results that detectors write.
    """
    if isinstance(content, list) and content and isinstance(content[0], dict) and "bbox" in content[0]:
        raise DataError(
            f"COCO file {path} is a list of results, which says nothing of the images. Give an instances file; "
            "wsolkit predict writes dataset.json beside its boxes.json."
        )
    for key in LISTS:
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise DataError(f"COCO file {path} has no list {key!r}. It should be an instances file.")
        strange = next((place for place, entry in enumerate(content[key]) if not isinstance(entry, dict)), None)
        if strange is not None:
            raise DataError(
                f"COCO file {path}: entry {strange} of {key!r} should be an object, but is "
                f"{shown(content[key][strange])}. Correct the file."
            )
    return content


def shown(value: Any) -> str:
    """Return a value as it is shown in errors, which may be long or nested."""
    return shortened(repr(value))


def key_of(entry: Mapping[str, Any], key: str, what: str, path: Path) -> Any:
    """Return an id of an entry, which may be a number or text.

    Raises:
        DataError: it is missing, or is neither.
    """
    if key not in entry:
        raise DataError(f"COCO file {path}: {what} lacks {key!r}. Correct the file.")
    found = entry[key]
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise DataError(
            f"COCO file {path}: {key!r} of {what} should be a number or text, but is {shown(found)}. Correct the file."
        )
    return found


def text_of(entry: Mapping[str, Any], key: str, what: str, path: Path) -> str:
    """Return a text of an entry; images that are drawn have no file, and an empty name.

    Raises:
        DataError: it is missing or no text.
    """
    if key not in entry:
        raise DataError(f"COCO file {path}: {what} lacks {key!r}. Correct the file.")
    found = entry[key]
    if not isinstance(found, str) or "\0" in found:
        raise DataError(f"COCO file {path}: {key!r} of {what} should be text, but is {shown(found)}. Correct the file.")
    return found


def images_by_id(content: Mapping[str, Any], path: Path) -> dict[Any, dict]:
    """Return the image entries by id; an entry that is repeated word for word counts once.

    ``width`` and ``height`` are whole numbers then, or 0 where the file does not say them. LVIS says an image's address
    alone, whose last folder and file are its ``file_name``.

    Raises:
        DataError: an entry lacks something, has another type, or shares its id with another one.
    """
    found: dict[Any, dict] = {}
    shared = 0
    for place, entry in enumerate(content["images"]):
        number = key_of(entry, "id", f"image entry {place}", path)
        what = f"image {number!r}"
        width, height = checked_size(entry.get("width"), entry.get("height"), f"COCO file {path}, {what}") or (0, 0)
        if "file_name" not in entry and isinstance(entry.get("coco_url"), str):
            entry = {**entry, "file_name": "/".join(entry["coco_url"].split("/")[-2:])}
        stated = {key: side for key, side in (("width", width), ("height", height)) if key in entry}
        image = {**entry, "file_name": text_of(entry, "file_name", what, path), **stated}
        shared += found.setdefault(number, image) != image
    refuse_shared(shared, "images", path)
    return found


def refuse_shared(shared: int, what: str, path: Path) -> None:
    """Refuse entries that share an id.

    Raises:
        DataError: there are some.
    """
    if shared:
        raise DataError(f"COCO file {path}: {shared} of the {what} share an id. Renumber.")


def categories_by_id(content: Mapping[str, Any], path: Path) -> dict[Any, str]:
    """Return the category names by id, in the order of the ids; of two of one name, the unused one is left out.

    Raises:
        DataError: an entry lacks something or has another type, two share an id, or annotations are of two categories
            of one name.
    """
    found: dict[Any, str] = {}
    shared = 0
    for place, entry in enumerate(content["categories"]):
        number = key_of(entry, "id", f"category entry {place}", path)
        name = text_of(entry, "name", f"category {number!r}", path)
        shared += found.setdefault(number, name) != name
    refuse_shared(shared, "categories", path)
    try:
        found = dict(sorted(found.items()))
    except TypeError:  # numbers and text
        found = dict(sorted(found.items(), key=lambda item: (isinstance(item[0], str), str(item[0]))))
    by_name: dict[str, list[Any]] = defaultdict(list)
    for number, name in found.items():
        by_name[name].append(number)
    if len(by_name) == len(found):
        return found
    used = {key_of(entry, "category_id", "an annotation", path) for entry in content["annotations"]}
    for name, numbers in by_name.items():
        counted = [number for number in numbers if number in used]
        if len(counted) > 1:
            raise DataError(
                f"COCO file {path}: the categories {first_few(counted)} are all called {name!r}, and each has "
                "annotations. Give them different names, or one id."
            )
        for number in numbers:
            if number not in (counted or numbers[:1]):
                del found[number]
    return found


def annotations_by_image(
    content: Mapping[str, Any], images: Mapping[Any, dict], categories: Mapping[Any, str], path: Path
) -> dict[Any, list[dict]]:
    """Return the annotations by image id; one that is repeated word for word counts once. Boxes are not looked at.

    VGG's annotator writes the numbers of images as text in annotations alone; ids that differ in nothing else are one.

    Raises:
        DataError: an annotation lacks something, has another type, or names an image or category that is not listed.
    """
    grouped: dict[Any, list[dict]] = defaultdict(list)
    first: dict[Any, dict] = {}
    spelt = {str(number): number for number in images}
    for place, entry in enumerate(content["annotations"]):
        what = f"annotation {entry.get('id', f'entry {place}')}"
        image, category = (key_of(entry, key, what, path) for key in ("image_id", "category_id"))
        image = image if image in images else spelt.get(str(image), image)
        for key, value, known in (("image_id", image, images), ("category_id", category, categories)):
            if value not in known:
                raise DataError(
                    f"COCO file {path}: {what} has the {key} {value!r}, which is not listed. Add it, or leave the "
                    "annotation out."
                )
        crowd = entry.get("iscrowd")
        if isinstance(crowd, (dict, list)) or crowd not in CROWDS:
            raise DataError(
                f"COCO file {path}: iscrowd of {what} should be 0 or 1, but is {shown(crowd)}. Correct the file."
            )
        number = entry.get("id")
        if isinstance(number, (int, str)) and first.setdefault(number, entry) is not entry and first[number] == entry:
            continue
        grouped[image].append(entry)
    return dict(grouped)


def each_file_once(images: dict[Any, dict], grouped: Mapping[Any, list[dict]], path: Path) -> dict[Any, dict]:
    """Return the images without those that say the same of a file again.

    Raises:
        DataError: two images are of one file, and their annotations differ.
    """
    by_file: dict[str, Any] = {}
    found = {}
    for number, image in images.items():
        first = by_file.setdefault(image["file_name"] or repr(number), number)
        if first == number:
            found[number] = image
        elif told(grouped.get(first, [])) != told(grouped.get(number, [])):
            raise DataError(
                f"COCO file {path}: the images {first!r} and {number!r} are both of {image['file_name']!r}, but their "
                "annotations differ. Put them under one image."
            )
    return found


def told(annotations: list[dict]) -> list[str]:
    """Return what annotations say, to be compared: class, box and crowd, without their own numbers."""
    return sorted(repr((each["category_id"], each.get("bbox"), is_crowd(each))) for each in annotations)


def is_crowd(annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation is of a crowd.

    >>> is_crowd({"iscrowd": 1}), is_crowd({})
    (True, False)
    """
    return CROWDS[annotation.get("iscrowd")]
