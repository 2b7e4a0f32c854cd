"""Names that lead out of a folder, and folders that results must not be written to."""

import numpy as np

from tests.bad_input.case import Case


def boxes(name, *formats, sizes=True):
    """Return a command that makes boxes of one map of an image with this name."""

    def command(folder):
        (folder / "sizes.txt").write_text(f"{name},64,48\n")
        np.savez(folder / "maps.npz", **{name: np.eye(8, dtype=np.float32)})
        return ["boxes", "--maps", "maps.npz", "--sizes", "sizes.txt", "--out", "found", "--format", *formats]

    return command


LEADS_OUT = r"The image id .* is no name for a file below a folder: .*leads out of"

CASES = [
    Case("VOC files above the folder", boxes("../../../x", "voc"), LEADS_OUT, always=True),
    Case("YOLO files above the folder", boxes("../../../x", "yolo"), LEADS_OUT),
    Case("files somewhere else", boxes("/home/u/x", "voc", "yolo"), LEADS_OUT),
    Case("files above the folder in Windows", boxes("..\\..\\x", "voc"), LEADS_OUT),
    Case("files of another drive of Windows", boxes("C:\\x", "yolo"), LEADS_OUT),
    Case("a folder for a file", boxes("a/..", "voc"), LEADS_OUT),
    Case("a name that is too long", boxes("x" * 254, "voc"), "is too long for a file below"),
    Case("names do not matter in a table", boxes("../../../x", "coco", "csv"), "0 images have no box|1 boxes in", 0),
]
