"""Tables of labels that are none, contradict themselves, name nothing, or lead somewhere else."""

from tests.bad_input.case import Case
from tests.bad_input.image_folders import predict, save

DATA = """
train_dataloader = dict(batch_size=1, dataset=dict(
    type="ImageFolder", data_root="photos", split="all", labels="labels.csv"))
"""


def table(name, content, words, always=False):
    """Return a case of a table that `data check` reads beside two pictures, and accepts."""

    def command(folder):
        save(folder / "photos", "a.png", "b.png")
        (folder / "labels.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / "config.py").write_text(DATA)
        return ["data", "check", "config.py", "--splits", "train"]

    return Case(name, command, words, 0, always)


def evaluated(folder, content):
    """Write a table, and return the command that judges maps by it."""
    save(folder / "photos", "a.png")
    (folder / "photos" / "labels.csv").write_bytes(content.encode())
    return ["evaluate", "--maps", "maps.npz", "--metadata", "photos/labels.csv", "--size", "map", "--out", "found"]


def predicted(folder, content):
    """Write a table, and return the command that predicts what it names."""
    command = predict(folder)
    (folder / "labels.csv").write_text(content)
    return [*command, "--classes", "labels.csv"]


CASES = [
    Case("a table without a label", lambda f: evaluated(f, "a.png\n"), "line 1: there is no label behind", always=True),
    Case("a table of unknown columns", lambda f: evaluated(f, "image,u,v\na.png,x,y\n"), "does not say which column"),
    Case("a table of an unknown class", lambda f: predicted(f, "good.png,scarlet\n"),
         "labels.csv, line 1: 'scarlet' is no class of the model", always=True),
    Case("a table that contradicts itself", lambda f: predicted(f, "good.png,red\ngood.png,green\n"),
         "labels.csv, line 2: image 'good.png' is there twice, as .*red.* and as .*green.*Remove what is wrong"),
    Case("a table that says the same twice", lambda f: predicted(f, "good.png,red\ngood.png,red\n"),
         "boxes in 1 images", code=0),
    Case("a table that lacks an image", lambda f: predicted(f, "other.png,red\n"),
         "does not name 1 of the images: 'good.png'. Add lines"),
    Case("a table that is not there", lambda f: [*predict(f), "--classes", "gone.csv"], "Labels gone.csv cannot be op"),
    Case("a table of a known class", lambda f: predicted(f, "C:\\x\\good,red\n"), "boxes in 1 images", code=0),
    Case("a saved data set of Arrow files", lambda f: (
        save(f / "in", "a.png"), (f / "in" / "dataset_dict.json").write_text("{}"),
        ["evaluate", "--maps", "maps.npz", "--metadata", "in", "--out", "found"])[-1],
        "was written by save_to_disk of the library datasets: its images are in Arrow files"),
    table("labels that lead out of the folder", "photos/../../etc/a.png,owl\nb.png,owl\n", "all: 2 images, of 1 class",
          always=True),
    table("labels in Latin-1", "image,label\na.png,hibou é\n".encode("latin-1"), r"hibou \\udce9 1"),
    Case("labels of zero bytes", lambda f: evaluated(f, "\0" * 9), "there is no label|no table|no name", always=True),
    Case("a cell of 200 kB", lambda f: evaluated(f, "a.png," + "x" * 200_000), "is no table: field larger than"),
    Case("labels twice", lambda f: evaluated(f, "a.png,owl\na.png,cat\n"), "line 2: image 'a.png' is there twice"),
    Case("a label with a line break", lambda f: evaluated(f, 'a.png,"owl\nsea"\n'), r"name 'owl\\nsea' has a line br"),
]  # fmt: skip
