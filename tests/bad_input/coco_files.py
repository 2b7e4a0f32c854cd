"""COCO files: wrong types, contradictions, numbers of no image, outlines that are none, and other people's habits."""

import copy
import json

from tests.bad_input.case import Case
from tests.support.owls import coco, write_coco

INF = float("inf")
NAN = float("nan")


def case(name, change, words, code=2, always=False):
    """Return a case of the two owls' file, changed in place."""

    def command(folder):
        content = coco()
        found = change(content)
        return write_coco(folder, found if isinstance(found, (str, bytes)) else content)

    return Case(name, command, words, code, always)


def entry(kind, key, value):
    """Return what gives the first entry of a kind another value."""
    return lambda content: content[kind][0].update({key: value})


def without(kind, key):
    """Return what takes a value from the first entry of a kind."""

    def change(content):
        del content[kind][0][key]

    return change


def again(kind, **values):
    """Return what repeats the first entry of a kind, with some other values."""
    return lambda content: content[kind].append({**copy.deepcopy(content[kind][0]), **values})


def outline(value):
    """Return what gives the first owl an outline."""
    return entry("annotations", "segmentation", value)


OK = "2 images"

CASES = [
    case("images are an object", lambda c: c.update(images={}), "owls.json has no list 'images'", always=True),
    case("images are missing", lambda c: c.pop("images"), "has no list 'images'"),
    case("an image is nothing", lambda c: c["images"].append(None), "entry 2 of 'images' should be an object, but is"),
    case("an annotation is text", lambda c: c["annotations"].append("x"), "entry 2 of 'annotations' should be an obj"),
    case("a category is a number", lambda c: c["categories"].append(5), "entry 1 of 'categories' should be an object"),
    case("an id is a list", entry("images", "id", [1]), "'id' of image entry 0 should be a number or text"),
    case("an id is missing", without("images", "id"), "image entry 0 lacks 'id'"),
    case("a category's id is an object", entry("categories", "id", {}), "'id' of category entry 0 should be a number"),
    case("a category has no name", without("categories", "name"), "category 5 lacks 'name'"),
    case("a category's name is a number", entry("categories", "name", 7), "'name' of category 5 should be text"),
    case("a file name is nothing", entry("images", "file_name", None), "'file_name' of image 1 should be text, but is"),
    case("a width is text", entry("images", "width", "ten"), "width and height should be whole numbers of pixels"),
    case("a width of 1e12", entry("images", "width", 10**12), "at most 1000000, but are 1000000000000 and 8"),
    case("a negative width", entry("images", "width", -10), "width and height should be whole numbers"),
    case("a width of half a pixel", entry("images", "width", 9.5), "width and height should be whole numbers"),
    case("an image_id is a list", entry("annotations", "image_id", [1]), "'image_id' of annotation 1 should be a numb"),
    case("a category_id is missing", without("annotations", "category_id"), "annotation 1 lacks 'category_id'"),
    case("a bbox of three", entry("annotations", "bbox", [1, 2, 3]), "bbox of annotation 1 should be four numbers x"),
    case("a bbox is an object", entry("annotations", "bbox", {}), "bbox of annotation 1 should be four numbers"),
    case("a bbox of lists", entry("annotations", "bbox", [[1], 2, 3, 4]), "bbox of annotation 1 should be four numb"),
    case("a bbox of 1e12", entry("annotations", "bbox", [1, 1, 1e12, 2]), "annotation 1: the box .* in no image"),
    case("a bbox of NaN", entry("annotations", "bbox", [NAN, 1, 1, 2]), "the box .* is in no image", always=True),
    case("a bbox of infinity", entry("annotations", "bbox", [1, 1, INF, 2]), "the box .* is in no image"),
    case("a negative bbox", entry("annotations", "bbox", [5, 1, -3, 2]), "ends before it begins"),
    case("iscrowd is text", entry("annotations", "iscrowd", "no"), "iscrowd of annotation 1 should be 0 or 1, but is"),
    case("iscrowd is a list", entry("annotations", "iscrowd", []), "iscrowd of annotation 1 should be 0 or 1"),
    case("no file", lambda c: b"", "owls.json is no JSON: Expecting value"),
    case("nested too deeply", lambda c: "[" * 200000, "owls.json is nested too deeply", always=True),
    case("a number of 5000 digits", lambda c: '{"images": [%s]}' % ("1" * 5000), "no JSON: Exceeds the limit"),
    case("Latin-1", lambda c: '{"images": "café"}'.encode("latin-1"), "no UTF-8 text: byte 0xe9 in line 1"),
    case("results instead of a data set", lambda c: '[{"image_id": 1, "bbox": []}]', "dataset.json beside its boxes"),
    case(
        "boxes are fractions",
        lambda c: [a.update(bbox=[0.2, 0.1, 0.6, 0.7]) for a in c["annotations"]],
        "all boxes lie within one pixel.* fractions of the images",
        always=True,
    ),
    case("an image twice", again("images", width=11), "1 of the images share an id", always=True),
    case("a file under two ids", again("images", id=9), "images 1 and 9 are both of 'a.jpg', but their annotations"),
    case(
        "two categories of one name",
        lambda c: (again("categories", id=6)(c), c["annotations"][1].update(category_id=6)),
        r"categories 5, 6 are all called 'owl', and each has annotations",
    ),
    case("an outline is text", outline("here"), "segmentation is broken: it should be polygons or run lengths"),
    case("an outline of text", outline([["a", 1] * 4]), "a polygon should be a list x, y"),
    case("a polygon of NaN", outline([[NAN, 1, 2, 3, 4, 5]]), "a polygon should be a list", always=True),
    case("a polygon far away", outline([[1e9, 1, 2, 3, 4, 5]]), "a corner lies more than 100000 pixels away"),
    case("a polygon of seven numbers", outline([[1, 1, 2, 3, 4, 5, 6]]), "a polygon should be a list"),
    case(
        "runs end early",
        outline({"size": [8, 10], "counts": [40, 4]}),
        "its runs have 44 pixels together.* has 80",
        always=True,
    ),
    case("compressed runs end early", outline({"size": [8, 10], "counts": "X1"}), "its runs have 40 pixels together"),
    case("compressed runs are cut", outline({"size": [8, 10], "counts": "X1X"}), "run lengths should be whole numbers"),
    case(
        "runs of another image", outline({"size": [9, 10], "counts": [90]}), r"is for \(10, 9\) pixels, but its image"
    ),
    case("runs without a size", outline({"counts": [80]}), r"run lengths need a size \(height, width\)"),
    case("negative runs", outline({"size": [8, 10], "counts": [100, -20]}), "run lengths should be whole numbers of 0"),
    case("runs of 1e18", outline({"size": [8, 10], "counts": [10**18]}), "its runs have 1000000000000000000 pixels"),
    case(
        "a mask of 1e12 pixels",
        lambda c: (
            (entry("images", "width", 10**6)(c), entry("images", "height", 10**6)(c), outline([[1, 1, 5, 1, 5, 5]])(c))
        ),
        "A mask of 1000000 x 1000000 pixels is too large",
    ),
    case("a byte order mark", lambda c: json.dumps(c).encode("utf-8-sig"), OK, 0, always=True),
]  # fmt: skip
