"""Files of CVAT and Label Studio that are of another kind, malformed, or bombs."""

import json

from tests.bad_input.case import Case
from tests.support.owls import evaluate, write_photos

BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "owl">]><annotations>&b;</annotations>'
RESULT = {"type": "rectanglelabels", "original_width": 10, "original_height": 8}


def cvat(name, content, words, always=False):
    """Return a case of CVAT's XML."""

    def command(folder):
        write_photos(folder)
        (folder / "owls.xml").write_text(content)
        return evaluate("photos", "--boxes", "owls.xml")

    return Case(name, command, words, always=always)


def image(inside, size='width="10" height="8"'):
    return f'<annotations><image name="a.jpg" {size}>{inside}</image></annotations>'


def studio(name, words, *results, always=False, **task):
    """Return a case of one task of Label Studio."""

    def command(folder):
        write_photos(folder)
        content = [{"data": {"image": "a.jpg"}, "annotations": [{"result": list(results)}], **task}]
        (folder / "owls.json").write_text(json.dumps(content))
        return evaluate("photos", "--boxes", "owls.json")

    return Case(name, command, words, always=always)


def value(**numbers):
    return {**RESULT, "value": {"x": 0, "y": 0, "width": 90, "height": 90, "rectanglelabels": ["owl"], **numbers}}


CASES = [
    cvat("a bomb of CVAT", BOMB, "declares entities", always=True),
    cvat("an XML file of VOC alone", "<annotation><object/></annotation>", "it is no file of CVAT. Give the f"),
    cvat("another XML file", "<svg/>", "holds <svg> instead of <annotations>"),
    cvat("a video of CVAT", "<annotations><track/></annotations>", "'CVAT for video', whose tracks are not read"),
    cvat("a file of CVAT without images", "<annotations/>", "has no image"),
    cvat("a box of CVAT without a side", image('<box label="owl" xtl="1" ytl="1" xbr="4"/>'), "ybr of <box> should be"),
    cvat("a side of 1e12 in CVAT", image('<box xtl="1" ytl="1" xbr="1e12" ybr="3"/>'), "xbr of <box> should be a num"),
    cvat("points of CVAT that are none", image('<polygon points="1,2;3"/>'), "points of a polygon should be x,y;x,y;"),
    cvat("a size of NaN in CVAT", image("", 'width="nan" height="8"'), "width of <image> should be a number"),
    cvat("another class in CVAT", image('<box label="dog" xtl="1" ytl="1" xbr="4" ybr="4"/>'), "'dog' is no class"),
    studio("a task without an image", "task 0 names no image under data", data={"text": "x"}, always=True),
    studio("a task that nobody annotated", "nobody has annotated any of its 1 tasks", annotations=[]),
    studio("a box without a size", "lacks original_width", {"type": "rectanglelabels", "value": {}}),
    studio("a box of words", "a box should be numbers in percent", value(x="left"), always=True),
    studio("a width of 1e308", "is in no image|should be numbers", value(width=1e308)),
    studio("a turned photograph", "the photograph was turned in Label Studio", {**value(), "image_rotation": 90}),
    studio("another class in Label Studio", "'dog' is no class", value(rectanglelabels=["dog"])),
]  # fmt: skip
