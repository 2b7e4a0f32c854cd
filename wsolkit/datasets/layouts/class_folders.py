"""How folders of photographs are understood: which are splits, which are classes, and what is left out and why.

A folder called train, training, val, valid, validation, test or testing, in any case, that holds folders and no images
is a split. The folders in the splits, or in the root where there are none, are the classes: an image belongs to the
first folder below, however deep it lies. Folders that systems make are none. Every real folder is read once: links
that lead back or to another class are left out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from wsolkit.datasets.image_walk import LINK, SYSTEM, LeftOut, holds_images, is_image, is_system_folder, walk
from wsolkit.errors import ConfigError, first_few
from wsolkit.names import Known, composed

__all__ = ["SPLITS", "ClassFolders", "doubts_of", "split_meant", "subfolders"]

SPLITS = ("train", "val", "test")
NAMES = {"training": "train", "valid": "val", "validation": "val", "testing": "test", **{name: name for name in SPLITS}}
"""What folders of splits are called, in lower case."""


def split_meant(name: str) -> str:
    """Return the split that a folder's name means, or the name itself.

    >>> split_meant("Valid"), split_meant("robin")
    ('val', 'robin')
    """
    return NAMES.get(name.lower(), name)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders directly in a folder that are neither hidden nor a system's, sorted."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not is_system_folder(path.name)
    )


def is_split_folder(folder: Path) -> bool:
    """Whether a folder holds class folders and no images of its own."""
    return bool(subfolders(folder)) and not any(is_image(path.name) for path in folder.iterdir() if path.is_file())


@dataclass
class ClassFolders:
    """The folders of photographs below a root.

    Args:
        root: the folder that is given.
        asked: a split that is asked for by the name of its folder.

    Attributes:
        splits: the folder of each split, by the name it has on disk; empty where the class folders lie in the root.
        left_out: what is no class and holds no image of one.

    Raises:
        ConfigError: two folders mean the same split.
    """

    root: Path
    asked: str = ""
    splits: dict[str, Path] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def __post_init__(self) -> None:
        found = [path for path in subfolders(self.root) if self.may_be_split(path.name) and is_split_folder(path)]
        exact = {path.name for path in found if path.name in (*SPLITS, self.asked)}
        others = [path for path in found if path.name not in exact and split_meant(path.name) not in exact]
        meant = Counter(split_meant(path.name) for path in others)
        twice = [path.name for path in others if meant[split_meant(path.name)] > 1]
        if twice:
            raise ConfigError(
                f"{self.root} has several folders for one split: {first_few(twice)}. Put them together, or rename all "
                "but one."
            )
        self.splits = {path.name: path for path in found if path.name in exact or path in others}
        for path in subfolders(self.root) if self.splits else ():
            if path.name not in self.splits and holds_images(str(path)):
                self.left_out.append(LeftOut(str(path), "a folder beside those of the splits"))
        self.left_out += [LeftOut(str(path), SYSTEM) for path in system_folders(self.root)]

    def may_be_split(self, name: str) -> bool:
        """Whether a folder has the name of a split."""
        return name == self.asked or split_meant(name) in SPLITS

    def folder_of(self, split: str) -> Path | None:
        """Return the folder of a split by its name on disk or what that means; None where there is none."""
        if split in self.splits:
            return self.splits[split]
        return next((path for name, path in self.splits.items() if split_meant(name) == split), None)

    def parents(self) -> list[Path]:
        """Return the folders that class folders lie in."""
        return list(self.splits.values()) or [self.root]

    def classes(self) -> list[str]:
        """Return the names of all class folders, sorted; those that hold nothing but other files are none."""
        forms: dict[str, str] = {}  # of one name in two splits, whose accents may differ
        for parent in self.parents():
            for path in self.class_folders(parent):
                if not holds_other_files_only(path):
                    forms.setdefault(composed(path.name), path.name)
        return sorted(forms.values())

    def class_folders(self, parent: Path) -> list[Path]:
        """Return the class folders in a split's folder or the root: each real folder once, none that leads back."""
        above = enclosing(parent) | enclosing(self.root)
        found = subfolders(parent)
        seen: set[str] = set()
        kept = []
        for path in sorted(found, key=lambda each: (each.is_symlink(), each.name)):
            real = os.path.realpath(path)
            if real in above or real in seen:
                self.left_out.append(LeftOut(str(path), LINK))
            else:
                seen.add(real)
                kept.append(path)
        return sorted(kept)

    def images(self, parent: Path, classes: Sequence[str]) -> dict[str, list[str]]:
        """Return the images of each class in a split's folder or the root: sorted posix paths below it."""
        folders = {path.name: path for path in self.class_folders(parent)}
        taken = enclosing(parent) | {os.path.realpath(path) for path in folders.values()}
        found: dict[str, list[str]] = {}
        known = Known(folders)
        for name in classes:
            paths: list[str] = []
            there = known.find(name)
            if there is not None:
                taken.discard(os.path.realpath(folders[there]))
                paths = list(walk(str(folders[there]), seen=taken, left_out=self.left_out))
            found[name] = sorted(PurePath(path).relative_to(parent).as_posix() for path in paths)
        return found


def system_folders(root: Path) -> list[Path]:
    """Return the folders directly in a folder that a system made."""
    return sorted(path for path in root.iterdir() if is_system_folder(path.name) and path.is_dir())


def enclosing(folder: Path) -> set[str]:
    """Return the real path of a folder and of all folders around it."""
    real = Path(os.path.realpath(folder))
    return {str(real), *map(str, real.parents)}


def holds_other_files_only(folder: Path) -> bool:
    """Whether a folder holds files but no image: annotations, say, and no class."""
    names = []
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_system_folder(name)]
        names += [name for name in files if not name.startswith(".")]
    return bool(names) and not any(is_image(name) for name in names)


def doubts_of(
    tree: ClassFolders, parent: Path, images: Mapping[str, Sequence[str]], chosen: bool = False
) -> dict[str, list[str]]:
    """Return what may not be meant in a split's folder or the root: places by what is in doubt.

    Args:
        tree: the folders.
        parent: the split's folder, or the root.
        images: the images by class, before they are divided into splits.
        chosen: whether somebody named the classes.
    """
    doubts: dict[str, list[str]] = {}

    def add(what: str, places: Sequence[str]) -> None:
        if places:
            doubts[what] = list(places)

    classes = list(images)
    if len(classes) == 1 and not chosen:
        inner = {PurePath(path).parts[1] for path in images[classes[0]] if len(PurePath(path).parts) > 2}
        direct = any(len(PurePath(path).parts) == 2 for path in images[classes[0]])
        if len(inner) > 1 and not direct:
            found = f"{parent / classes[0]} holds {first_few(sorted(inner))}"
            add("one class, made of folders: data_root may be one folder too high", [found])
        else:
            add("one class alone: a classifier has nothing to tell it from", classes)
    like_splits = [name for name in classes if split_meant(name) in SPLITS]
    if len({split_meant(name) for name in like_splits}) > 1:
        add("classes that are called like splits: images lie in them directly", like_splits)
    unread = [
        path.name for path in tree.class_folders(parent) if not Known(images).find(path.name) and unread_only(path)
    ]
    add("classes left out, whose pictures are of kinds that are not read", [] if chosen else unread)
    direct_images = sorted(path.name for path in parent.iterdir() if is_image(path.name) and path.is_file())
    add(f"images in no class folder, directly in {parent}", direct_images)
    for why, places in by_reason(tree.left_out).items():
        add(f"left out: {why}", places)
    return doubts


def unread_only(folder: Path) -> bool:
    """Whether a folder holds pictures, all of kinds that are not read."""
    left_out: list[LeftOut] = []
    return not any(True for _ in walk(str(folder), left_out=left_out)) and any(each.unread for each in left_out)


def by_reason(left_out: Sequence[LeftOut]) -> dict[str, list[str]]:
    """Return the places by the reason why they are left out."""
    found: dict[str, list[str]] = {}
    for each in dict.fromkeys(left_out):
        found.setdefault(each.why, []).append(each.path)
    return found
