"""Labels, boxes and sizes in lists, tables and VOC's files: encodings, contradictions, and numbers of no image."""

import json

import numpy as np

from tests.bad_input.case import Case
from tests.support.owls import coco, evaluate, voc_xml, write_csv, write_lists, write_maps, write_photos, write_voc

BOXES = "owl/a.jpg,2,1,8,7\nowl/b.jpg,2,1,8,7\n"
BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "owl"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def table(name, content, words, code=2, always=False, **more):
    """Return a case of a table of boxes."""
    return Case(name, lambda folder: write_csv(folder, content, **more), words, code, always)


def lists(name, words, code=2, always=False, **texts):
    """Return a case of wsolevaluation's lists."""
    return Case(name, lambda folder: write_lists(folder, **texts), words, code, always)


def voc(name, xml, words, code=2, always=False):
    """Return a case of VOC's annotations."""
    return Case(name, lambda folder: write_voc(folder, xml), words, code, always)


def with_classes(folder, text):
    """Write lists with the names of the classes."""
    command = write_lists(folder)
    (folder / "lists" / "classes.txt").write_text(text)
    return command


def xml_folder(folder, *files, names):
    """Write photographs and a folder of annotations, and return the command that reads both."""
    write_photos(folder, names)
    for name in files:
        path = folder / "xml" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(voc_xml())
    return evaluate("photos", "--boxes", "xml")


def coco_boxes(folder, **names):
    """Write photographs and a COCO file of boxes that calls images otherwise."""
    write_photos(folder, ("owl/a.jpg", "eagle/a.jpg", "owl/b.jpg"))
    content = coco()
    for image, name in zip(content["images"], names.values(), strict=True):
        image["file_name"] = name
    content["annotations"][1]["bbox"] = [0, 0, 4, 4]
    (folder / "boxes.json").write_text(json.dumps(content))
    return evaluate("photos", "--boxes", "boxes.json")


def voc_lists(folder, text):
    """Write VOC's folders with a list of each class."""
    command = write_voc(folder, voc_xml())
    for name in ("owl", "dog"):
        (folder / "voc" / "ImageSets" / "Main" / f"{name}_val.txt").write_text(text)
    return command


def class_scores(folder, text):
    """Write lists and class scores."""
    command = write_lists(folder)
    (folder / "scores.csv").write_text(text)
    return [*command, "--logits", "scores.csv"]


def boxes_of(folder, sizes="a.jpg,10,8\n", **arrays):
    """Write maps of any kind, and return the command that makes boxes of them."""
    write_maps(folder)
    if arrays:
        np.savez(folder / "maps.npz", **arrays)
    (folder / "sizes.txt").write_text(sizes)
    return ["boxes", "--maps", "maps.npz", "--sizes", "sizes.txt", "--out", "found"]


def zeros(folder):
    """Write an archive whose one member unpacks to 8 GB."""
    import zipfile

    write_maps(folder)
    (folder / "sizes.txt").write_text("a.jpg,10,8\n")
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 32000, 32000)}"
    with zipfile.ZipFile(folder / "maps.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg.npy", header.ljust(127) + b"\n" + bytes(4096))
    data = (folder / "maps.npz").read_bytes()
    size = (4096 + 128).to_bytes(4, "little")
    assert data.count(size) == 2
    (folder / "maps.npz").write_bytes(data.replace(size, (4 * 10**9).to_bytes(4, "little")))
    return ["boxes", "--maps", "maps.npz", "--sizes", "sizes.txt", "--out", "found"]


def short(folder):
    """Write an archive whose header says more than there is."""
    command = zeros(folder)
    data = (folder / "maps.npz").read_bytes()
    (folder / "maps.npz").write_bytes(data.replace((4 * 10**9).to_bytes(4, "little"), (4224).to_bytes(4, "little")))
    return command


def long_header(folder):
    """Write a map file whose header says that it is itself 4 GB long."""
    (folder / "maps").mkdir()
    (folder / "maps" / "a.npy").write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'")
    (folder / "sizes.txt").write_text("a,10,8\n")
    return ["boxes", "--maps", "maps", "--sizes", "sizes.txt", "--out", "found"]


def head(folder):
    """Write a map file whose header says two million maps."""
    (folder / "maps").mkdir()
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|u1', 'fortran_order': False, 'shape': (2000000, 1, 1)}"
    with (folder / "maps" / "a.npy").open("wb") as file:
        file.write(header.ljust(127) + b"\n")
        file.truncate(128 + 2 * 10**6)
    (folder / "sizes.txt").write_text("a,10,8\n")
    return ["boxes", "--maps", "maps", "--sizes", "sizes.txt", "--out", "found"]


CASES = [
    table("a table in Latin-1 of an unknown image", "hibou/é.jpg,2,1,8,7\n".encode("latin-1"),
          r"line 1: there is no image 'hibou/.*udce9.jpg'", always=True),
    table("a table in UTF-16", ("path,x0,y0,x1,y1\n" + BOXES.replace("7", "x")).encode("utf-16"), "line 2: expected"),
    table("a table in UTF-16 without a mark", BOXES.replace("7", "x").encode("utf-16-be"), "line 1: expected 'path,x0"),
    table("a table of zero bytes", b"\0" * 9, "expected 'path,x0,y0,x1,y1"),
    table("a side of 5000 digits", "owl/a.jpg,1,2,3," + "9" * 5000, "line 1: the box .* is in no image"),
    table("a side of 1e12", "owl/a.jpg,1,2,3,1e12\n", "line 1: the box .* is in no image", always=True),
    table("a box that ends first", "owl/a.jpg,5,2,3,4\n", "line 1: the box .* ends before it begins"),
    table("fractions in a table", "owl/a.jpg,.1,.2,.3,.4\n", "all boxes lie within one pixel"),
    table("semicolons", BOXES.replace(",", ";"), "line 1: expected 'path,x0,y0,x1,y1"),
    table("one name for several", "a.jpg,2,1,8,7\n", "'a.jpg' may be any of 'eagle/a.jpg', 'owl/a.jpg'. Write",
          always=True, names=("owl/a.jpg", "eagle/a.jpg")),
    Case("one prefixed name for several", lambda f: coco_boxes(f, a="3f2a1b9c-a.jpg", b="owl/b.jpg"),
         "'3f2a1b9c-a.jpg' may be any of 'eagle/a.jpg', 'owl/a.jpg'"),
    Case("two names for one image", lambda f: coco_boxes(f, a="x/b.jpg", b="3f2a1b9c-b.jpg"),
         "both seem to be image|is there twice, with other boxes"),
    Case("an image twice in two spellings", lambda f: coco_boxes(f, a="owl/b.jpg", b="owl\\b.jpg"),
         "'owl/b.jpg' is there twice, with other boxes"),
    Case("one XML file for several images", lambda f: xml_folder(f, "0.xml", names=("owl/0.jpg", "eagle/0.jpg")),
         "0.xml may be of any image called '0', such as 'eagle/0.jpg'. Nest the files", always=True),
    Case("one XML file for two endings", lambda f: xml_folder(f, "owl/0.xml", names=("owl/0.jpg", "owl/0.png")),
         "0.xml may be of any image called '0'.* as owl/0_jpg.xml where only the endings differ"),
    lists("a label of 2e9", "the label should be one of 0 to 999999, but got '2000000000'", always=True,
          class_labels="a.jpg,2000000000\nb.jpg,0\n"),
    lists("a label of 5000 digits", "the label should be one of 0 to 999999, but got '9999999999",
          class_labels="a.jpg," + "9" * 5000),
    lists("a label twice", "line 2: image 'a.jpg' is there twice, as 0 and as 1", always=True,
          class_labels="a.jpg,0\na.jpg,1\nb.jpg,0"),
    lists("a size twice", r"image 'a.jpg' is there twice, as \(10, 8\) and as \(8, 10\)",
          image_sizes="a.jpg,10,8\nb.jpg,10,8\na.jpg,8,10\n"),
    lists("a size of 2e9", "the size should be one of 1 to 1000000, but got '2000000000'",
          image_sizes="a.jpg,2000000000,2000000000"),
    lists("a box of NaN", "line 1: the box .* is in no image", localization="a.jpg,1,2,nan,4"),
    lists("a box of 1e12", "line 1: the box .* is in no image", localization="a.jpg,1,2,3,1e12"),
    lists("a negative box", "line 1: the box .* ends before it begins", localization="a.jpg,5,2,1,4"),
    lists("fractions in a list", "all boxes lie within one pixel", localization="a.jpg,.1,.2,.3,.4"),
    lists("a list in Latin-1", "image_ids.txt is no UTF-8 text: byte 0xe9 in line 2",
          image_ids="a.jpg\né.jpg".encode("latin-1"), always=True),
    Case("a class of 2e9", lambda f: with_classes(f, "2000000000,owl\n"), "label should be one of 0 to 999999, but"),
    Case("a class of two names", lambda f: with_classes(f, "0,owl\n0,dog\n"), "class 0 is there twice, as owl and as"),
    voc("GBK without saying so", voc_xml("鸟").encode("gbk"), "a.xml is no UTF-8 text: byte 0xc4 in line 1"),
    voc("an unknown encoding", voc_xml(head='<?xml version="1.0" encoding="martian"?>'),
        "is declared 'martian', an encoding that nobody knows", always=True),
    voc("another encoding than declared", b'<?xml version="1.0" encoding="shift_jis"?>\xff\xff',
        "is declared 'shift_jis', but is none"),
    voc("a bomb", voc_xml("&b;", head=BOMB), "declares entities, which no annotation needs", always=True),
    voc("another kind of XML", "<svg><g/></svg>", "holds <svg> instead of <annotation>"),
    voc("cut off", "<annotation><object>", "is no XML"),
    voc("an xmax of 1e12", voc_xml(box=(3, 2, 1e12, 7)), "the box .* is in no image"),
    voc("an xmax of NaN", voc_xml(box=(3, 2, "nan", 7)), "the box .* is in no image"),
    voc("an xmax before xmin", voc_xml(box=(8, 2, 3, 7)), "ends before it begins"),
    voc("a width of 1e999", voc_xml(size=("1e999", 8)), "width and height should be whole numbers of pixels"),
    voc("fractions in XML", voc_xml(box=(0.1, 0.2, 0.5, 0.9)), "all boxes lie within one pixel"),
    Case("a class list that contradicts itself", lambda f: voc_lists(f, "a 1\nb 1\na -1\n"),
         "image 'a' is there twice, as 1 and as -1"),
    Case("a class named twice", lambda f: [*write_voc(f, voc_xml())[:-2], "owl", "owl"], "classes names 'owl' twice"),
    Case("scores twice", lambda f: class_scores(f, "a.jpg,1\nb.jpg,1\na.jpg,2\n"), "image 'a.jpg' is there twice, as"),
    Case("scores in Latin-1", lambda f: (class_scores(f, ""), (f / "scores.csv").write_bytes(b"\xe9,1"))[0],
         "scores.csv is no UTF-8 text: byte 0xe9 in line 1"),
    Case("a class index of 1e10", lambda f: boxes_of(f, **{"a.jpg/10000000000": np.ones((2, 2), np.float32)}),
         "None of the 1 images has a map", always=True),
    Case("a class index of 5000 digits", lambda f: boxes_of(f, **{"a.jpg/" + "1" * 5000: np.ones((2, 2))}),
         "None of the 1 images has a map"),
    Case("a named class of 2e9", lambda f: boxes_of(
        f, maps=np.ones((1, 2, 2), np.float32), classes=np.array([2 * 10**9])), "names class 2000000000"),
    Case("a size of 1e6 squared", lambda f: [*boxes_of(f, "a.jpg,1000000,1000000\n"), "--size", "original"],
         "No map is brought to 1000000 x 1000000 pixels|None of the .* maps could be made boxes of"),
    Case("a map of an absurd shape", lambda f: boxes_of(f, **{"a.jpg": np.zeros((1, 40000), np.float32)}),
         r"has shape \(1, 40000\), and no .* is so large"),
    Case("zeros of 4 GB", zeros, "it takes 3.7 GiB unpacked, and no more than 2 are read", always=True),
    Case("less than the header says", short, r"its header says float32 \(2, 32000, 32000\), which the 4224 bytes"),
    Case("a header of 4 GB", long_header, "its header is said to have 4294967295 bytes"),
    Case("a stack of 2e6 maps", head, "holds an array of 2000000 maps", always=True),
]  # fmt: skip
