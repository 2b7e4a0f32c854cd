"""Box files from score maps that any program wrote, without a model.

Boxes are found in the map, at the size it is stored at unless another is asked for, and carried to pixels of the image.
The score of a box is what the extractor says of it, usually the mean of the map inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from wsolkit.components.refiners.objects import map_masks
from wsolkit.datasets.annotations import Annotations
from wsolkit.datasets.image_files import find_images
from wsolkit.datasets.layouts.wsol_metadata import read_sizes
from wsolkit.errors import ConfigError, DataError, MapError, ShapeError, first_few
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.image_headers import displayed_size
from wsolkit.formats.map_size import MapSize, fit_map, size_for
from wsolkit.formats.score_maps import ScoreMaps
from wsolkit.formats.turned import LOOKED_AT, Turned, turned_parts
from wsolkit.formats.writers import FORMATS, check_formats, write_results
from wsolkit.inference.photos import mask_in_photo
from wsolkit.inference.run_folder import RunFolder
from wsolkit.inference.scale_boxes import scale_boxes
from wsolkit.interfaces import BoxExtractor
from wsolkit.lock import locked
from wsolkit.progress import Advance, Shows, hidden
from wsolkit.threads import in_order

__all__ = ["BoxRun", "MapImage", "class_names_for", "maps_to_boxes", "result_of", "sized_images"]


class MapImage(NamedTuple):
    """An image whose maps become boxes.

    Attributes:
        image_id: its name.
        path: its file, or empty.
        size: (width, height); None to read it from the file.
        present: classes whose maps count; None for those that have maps.
    """

    image_id: str
    path: str
    size: tuple[int, int] | None
    present: list[int] | None


@dataclass
class BoxRun:
    """What a run did.

    Attributes:
        images: images that have a map which could be read.
        failed: images whose map, or size, could not be read.
        without_box: images that have no box.
        boxes: boxes found.
        files: files and folders written.
        remarks: sentences about what did not match.
    """

    images: int = 0
    failed: int = 0
    without_box: int = 0
    boxes: int = 0
    files: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def sized_images(
    truth: Annotations | None = None, sizes: str | Path | None = None, images: str | Path | None = None
) -> list[MapImage]:
    """Return the images there are, with what is known of their sizes and classes.

    Args:
        truth: labels and sizes; its labels say which maps count.
        sizes: a file of lines ``id,width,height``.
        images: the folder of the images.

    Raises:
        ConfigError: nothing says how large the images are.
        DataError: the file or the folder is missing, empty or malformed.
    """
    stated: dict[str, tuple[int, int]] = {}
    if sizes is not None:
        if not Path(sizes).is_file():
            raise DataError(f"There is no file of sizes {sizes}. Give lines id,width,height.")
        stated = read_sizes(Path(sizes))
        if not stated:
            raise DataError(f"{sizes} is empty. Write id,width,height for each image.")
    if truth is not None:
        return [
            MapImage(each.image_id, each.path, stated.get(each.image_id, each.size), each.present) for each in truth
        ]
    if images is not None:
        found = find_images([images])
        return [MapImage(image_id, path, stated.get(image_id), None) for image_id, path in found]
    if stated:
        return [MapImage(image_id, "", size, None) for image_id, size in stated.items()]
    raise ConfigError(
        "Boxes are written in pixels of the images, so their sizes are needed. Give --images (a folder), --sizes "
        "(lines id,width,height) or --metadata."
    )


def class_names_for(maps: ScoreMaps, given: Sequence[str] | None, truth: Annotations | None) -> list[str]:
    """Return the names of the classes of a run: those given, those of the data, or numbers.

    How many there are is what the names of the arrays say, or else the K of arrays (K, H, W); 1 of neither.

    Raises:
        ConfigError: fewer names are given than there are classes.
    """
    highest = max([maps.num_classes or 0, *(k + 1 for k in maps.classes())])
    if truth is None:
        highest = max(highest, maps.largest_stack())
    if given is not None:
        needed = len(truth.classes) if truth is not None else highest
        if len(given) < needed:
            raise ConfigError(f"--classes names {len(given)} classes, but there are {needed}. Name all, in order.")
        return list(given)
    if truth is not None:
        return list(truth.classes)
    return [str(k) for k in range(highest)] if highest > 1 else ["object"]


def result_of(
    image: MapImage,
    maps: ScoreMaps,
    extractor: BoxExtractor,
    classes: Sequence[str],
    size: MapSize,
    resize: str,
    shapes: list[tuple[int, ...]] | None = None,
    masks: bool = False,
) -> ImageResult:
    """Return the boxes of one image, in its own pixels, best first; ``shapes`` gets those of its maps.

    With ``masks`` a box has what the map itself says: its component inside the box.

    Raises:
        DataError: its map or its size cannot be read.
        MapError: its map holds something else than scores.
        ShapeError: its map has another size than ``resize`` allows.
    """
    whole = image.size or (displayed_size(image.path) if image.path else maps.size_of(image.image_id))
    if whole is None:
        raise DataError(f"Nothing says how large image {image.image_id!r} is. Give --sizes or --images.")
    boxes = []
    for k, raw in maps.read(image.image_id, image.present).items():
        if k >= len(classes):
            raise DataError(
                f"Image {image.image_id!r} has a map of class {k}, but there are {len(classes)} class names. Name all "
                "with --classes."
            )
        if shapes is not None:
            shapes.append(raw.shape)
        what = f"The map of image {image.image_id!r}"
        score_map = fit_map(raw, size_for(size, raw.shape, whole), resize, maps.normalize, what)
        found = extractor(score_map)
        height, width = score_map.shape
        scaled = scale_boxes(found.boxes, (width, height), whole)
        inside = map_masks(score_map, found.boxes, extractor.threshold) if masks else [None] * len(scaled)
        for box, score, mask in zip(scaled, found.scores, inside, strict=True):
            x0, y0, x1, y1 = (float(side) for side in box)
            kept = None if mask is None else mask_in_photo(mask, whole)
            boxes.append(FoundBox((x0, y0, x1, y1), k, classes[k], float(score), float(score), mask=kept))
    boxes.sort(key=lambda found: -found.score)
    return ImageResult(image.image_id, image.path, whole, boxes)


def maps_to_boxes(
    maps: ScoreMaps,
    images: Sequence[MapImage],
    out: str | Path,
    classes: Sequence[str],
    extractor: BoxExtractor,
    formats: Sequence[str] = ("coco",),
    *,
    size: MapSize = "map",
    resize: str = "linear",
    threads: int = 1,
    overwrite: bool = False,
    settings: Mapping[str, Any] | None = None,
    shows: Shows = hidden,
    export: Export = PLAIN,
    masks: bool = False,
) -> BoxRun:
    """Write the boxes of every image that has a map; maps that cannot be read are listed in ``failed.csv``.

    Args:
        maps: the maps.
        images: the images, see ``sized_images``; those without a map are left out.
        out: folder to write to: new, empty, or one of an earlier run.
        classes: class names, by index.
        extractor: what finds boxes in a map.
        formats: any of coco, voc, yolo, csv.
        size: size to bring maps to before boxes are found.
        resize: ``linear``, ``cubic`` or ``refuse``.
        threads: how many images are worked on at a time.
        overwrite: remove results of other settings from ``out``.
        settings: further settings to write down in ``run.json``.
        shows: gives a progress display for a task's name and number of images.
        export: how YOLO's and VOC's folders are written.
        masks: give every box the map's own mask; formats that say little without have them anyway.

    Raises:
        ConfigError: ``out`` holds something else, is being written to, or lies where the maps are.
        DataError: no image has a map, or none of the maps can be read.
    """
    formats = check_formats(formats)
    masks = masks or any(FORMATS[name].needs_masks for name in formats)
    run = BoxRun()
    match = maps.match(image.image_id for image in images)
    missing = set(match.missing)
    found = [image for image in images if image.image_id not in missing]
    if not found:
        raise DataError(
            f"None of the {len(images)} images has a map. Images are named {first_few([i.image_id for i in images])}; "
            f"maps are named {first_few(match.unknown)}. Name maps after the images."
        )
    if missing:
        run.remarks.append(f"{len(missing)} images have no map and are left out: {first_few(match.missing)}.")
    if match.unknown:
        run.remarks.append(f"{len(match.unknown)} maps belong to no image: {first_few(match.unknown)}.")
    about = {
        "maps": str(maps.path.absolute()),
        "normalize": maps.normalize,
        "extractor": type(extractor).__name__,
        "threshold": extractor.threshold,
        "size": size if isinstance(size, str) else list(size),
        "resize": resize,
        **({"masks": True} if masks else {}),
        **(settings or {}),
    }
    folder = Path(out)
    if maps.path.resolve().is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(maps.path.resolve()):
        raise ConfigError(f"--out {out} and the maps in {maps.path} share a folder. Choose a folder beside it.")

    turned = Turned()

    def work(numbered: tuple[int, MapImage]) -> tuple[ImageResult | Failure, set[str]]:
        number, image = numbered
        shapes: list[tuple[int, ...]] = []
        try:
            result = result_of(image, maps, extractor, classes, size, resize, shapes, masks)
        except (DataError, MapError, ShapeError) as error:
            return Failure(image.image_id, image.path, str(error)), set()
        stated = image.path if image.size is not None and number < LOOKED_AT else ""
        return result, turned_parts(result.size, shapes, stated)

    def records(advance: Advance) -> Iterator[ImageResult | Failure]:
        for result, parts in in_order(work, list(enumerate(found)), threads):
            advance(1)
            turned.add(result.image_id, parts)
            yield result

    with locked(folder, "search for boxes", "--out"), shows("boxes", len(found)) as advance:
        RunFolder(folder).prepare(about, overwrite)
        files, lists = write_results(records(advance), folder, classes, formats, about, export)
    run.remarks += turned.remarks()
    run.files, run.images, run.failed = files, lists.images, lists.failed
    run.without_box, run.boxes = lists.without_box, lists.boxes
    if not run.images:
        raise DataError(
            f"None of the {run.failed} maps could be made boxes of; {folder / 'failed.csv'} says why. The first: "
            f"{lists.first_reason}"
        )
    return run
