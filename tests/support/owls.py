"""Two owls of 10 x 8 pixels in any format of labels, their maps, and the commands that read them."""

import json

import numpy as np
from PIL import Image

SIZE = (10, 8)  # width, height
BOX = (2, 1, 8, 7)


def evaluate(metadata, *more):
    """Return the command that judges the maps by some labels."""
    return ["evaluate", "--maps", "maps.npz", "--metadata", metadata, "--size", "map", "--out", "found", *more]


def write_maps(folder, names=("a.jpg", "b.jpg")):
    scores = np.zeros(SIZE[::-1], np.float32)
    x0, y0, x1, y1 = BOX
    scores[y0:y1, x0:x1] = 1
    np.savez(folder / "maps.npz", **dict.fromkeys(names, scores))


def coco():
    """Return a COCO file of two owls."""
    x0, y0, x1, y1 = BOX
    return {
        "images": [
            {"id": number, "file_name": f"{name}.jpg", "width": SIZE[0], "height": SIZE[1]}
            for number, name in enumerate("ab", start=1)
        ],
        "annotations": [
            {"id": number, "image_id": number, "category_id": 5, "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0}
            for number in (1, 2)
        ],
        "categories": [{"id": 5, "name": "owl"}],
    }


def write_coco(folder, content):
    """Write maps and a COCO file, as an object, text or bytes, and return the command that judges the maps by it."""
    write_maps(folder)
    if isinstance(content, dict):
        content = json.dumps(content)
    (folder / "owls.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    return evaluate("owls.json")


def write_photos(folder, names=("owl/a.jpg", "owl/b.jpg")):
    """Write class folders of photographs and maps of theirs."""
    for name in names:
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE, "white").save(path)
    write_maps(folder, names)


def write_csv(folder, content, names=("owl/a.jpg", "owl/b.jpg")):
    """Write photographs and a table of their boxes, and return the command that judges maps by it."""
    write_photos(folder, names)
    (folder / "boxes.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return evaluate("photos", "--boxes", "boxes.csv")


def write_lists(folder, **lists):
    """Write wsolevaluation's lists, some of them replaced, and return the command that judges maps by them."""
    write_maps(folder)
    split = folder / "lists" / "test"
    split.mkdir(parents=True)
    x0, y0, x1, y1 = BOX
    texts = {
        "image_ids": "a.jpg\nb.jpg\n",
        "class_labels": "a.jpg,0\nb.jpg,0\n",
        "image_sizes": "a.jpg,10,8\nb.jpg,10,8\n",
        "localization": "".join(f"{name}.jpg,{x0},{y0},{x1 - 1},{y1 - 1}\n" for name in "ab"),
        **lists,
    }
    for name, text in texts.items():
        (split / f"{name}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return evaluate("lists/test")


def voc_xml(name="owl", box=(3, 2, 8, 7), head="", root="annotation", size=SIZE):
    """Return an annotation in VOC's form."""
    sides = "".join(f"<{key}>{side}</{key}>" for key, side in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return (
        f"{head}<{root}><size><width>{size[0]}</width><height>{size[1]}</height></size>"
        f"<object><name>{name}</name><bndbox>{sides}</bndbox></object></{root.split()[0]}>"
    )


def write_voc(folder, xml, names=("a", "b")):
    """Write VOC's folders with the same annotation for each image, and return the command that judges maps by them."""
    write_maps(folder, names)
    (folder / "voc" / "JPEGImages").mkdir(parents=True)
    (folder / "voc" / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "voc" / "ImageSets" / "Main" / "val.txt").write_text("\n".join(names))
    for name in names:
        path = folder / "voc" / "Annotations" / f"{name}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(xml if isinstance(xml, bytes) else xml.encode())
    return evaluate("voc", "--split", "val", "--classes", "owl", "dog")
