"""Odd image files, and folders of images that are not what they seem."""

import os
import struct
import zlib

import numpy as np
import torch
from PIL import Image

from tests.bad_input.case import Case
from tests.support.colours import CONFIG, colour_model

DATA = """
train_dataloader = dict(batch_size=1, dataset=dict(type="ImageFolder", data_root="photos", split={split!r}))
"""


def save(folder, *names):
    """Write pictures, each of its own colour."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (number, 0, 0)).save(path, format="PNG")


def check(folder, *names, split="all"):
    """Write pictures below ``photos``, and return the command that checks them as class folders."""
    save(folder / "photos", *names)
    (folder / "config.py").write_text(DATA.format(split=split))
    return ["data", "check", "config.py", "--splits", "train"]


def one_picture_of_no_kind(folder):
    (folder / "photos" / "owl").mkdir(parents=True)
    for number in range(2):
        (folder / "photos" / "owl" / f"{number}.HEIC").write_bytes(b"x")
    return check(folder, "cat/1.png", "dog/2.png")


def split_of_two_folders(folder):
    return check(folder, "train/a/1.png", "train/b/2.png", "valid/a/3.png", "Validation/a/4.png", split="train")


def link_to_the_root(folder):
    command = check(folder, "cat/1.png", "dog/2.png")
    (folder / "photos" / "loop").symlink_to(folder / "photos")
    (folder / "photos" / "cat" / "loop").symlink_to(folder / "photos")
    return command


def names_of_bytes(folder):
    return check(folder, os.fsdecode(b"caf\xe9/\xff.png"), "dog/2.png", split="train")


def huge_header(width, height):
    """Return a PNG that says a size and holds no pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = [struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) for body in (head, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def boxes_of_a_panorama(folder):
    (folder / "photos").mkdir()
    (folder / "photos" / "a.png").write_bytes(huge_header(30000, 6100))
    np.savez(folder / "maps.npz", **{"a.png": np.eye(8, dtype=np.float32)})
    return ["boxes", "--maps", "maps.npz", "--images", "photos", "--out", "out"]


def boxes_of_unread_pictures(folder):
    (folder / "photos").mkdir()
    (folder / "photos" / "a.avif").write_bytes(b"x")
    np.savez(folder / "maps.npz", a=np.eye(8, dtype=np.float32))
    return ["boxes", "--maps", "maps.npz", "--images", "photos", "--out", "out"]


def predict(folder):
    """Write a model and one good picture, and return the command that predicts the folder."""
    save(folder / "in", "good.png")
    (folder / "config.py").write_text(CONFIG)
    torch.save({"state_dict": colour_model().state_dict(), "meta": {"epoch": 1}}, folder / "best.pth")
    return ["predict", "config.py", "best.pth", "in", "--out", "out", "--device", "cpu", "--num-workers", "0"]


def predict_of_broken_pictures(folder):
    command = predict(folder)
    (folder / "in" / "self.jpg").symlink_to("self.jpg")
    (folder / "in" / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "in" / "bomb.png").write_bytes(huge_header(60000, 60000))
    Image.effect_noise((400, 300), 90).save(folder / "in" / "half.jpg")
    data = (folder / "in" / "half.jpg").read_bytes()
    (folder / "in" / "half.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    return command


def predict_twice(folder):
    command = predict(folder)
    (folder / "again").symlink_to(folder / "in")
    return [*command[:4], "in", "again", *command[4:]]


CASES = [
    Case(
        "data_root one folder too high",
        lambda folder: check(folder, "photos/cat/1.png", "photos/dog/2.png"),
        "one class, made of",
        code=0,
        always=True,
    ),
    Case("one class", lambda folder: check(folder, "cat/1.png"), "one class alone", code=0),
    Case("a class of pictures that are not read", one_picture_of_no_kind, "classes left out, whose pictures", code=0),
    Case("two folders for one split", split_of_two_folders, "several folders for one split: 'Validation', 'valid'"),
    Case(
        "splits that hold images directly",
        lambda folder: check(folder, "train/1.png", "test/2.png", "val/3.png"),
        "classes that are called like splits",
        code=0,
    ),
    Case("a link to the root", link_to_the_root, r"all: 2 images, of 2 classes in photos: cat 1, dog 1", code=0),
    Case("names that are no UTF-8", names_of_bytes, r"caf\\udce9 1, dog 1", code=0),
    Case("a panorama's size", boxes_of_a_panorama, r"1 boxes in 1 images", code=0),
    Case("pictures that are not read", boxes_of_unread_pictures, r"holds no image.*a\.avif: \.avif is not read"),
    Case(
        "links that lead nowhere, a bomb and half a JPEG",
        predict_of_broken_pictures,
        "4 images could not be read; failed.csv says why",
        code=0,
        always=True,
    ),
    Case("a folder given twice, once by a link", predict_twice, r"1 images in .* s", code=0),
]
