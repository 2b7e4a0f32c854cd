"""What `wsolkit predict`, `test` and `train` are given of models in which nothing is trained."""

from tests.bad_input.case import Case
from tests.bad_input.label import photographs


def predict(*words):
    """Return what makes a folder of no photographs and predicts with a configuration alone."""

    def command(folder):
        (folder / "photos").mkdir()
        return ["predict", *words, "photos", "--out", "found"]

    return command


def label(folder):
    """Label photographs with a method that learns nothing."""
    photographs(folder, 6)
    (folder / "mine.py").write_text('_base_ = ["wsolkit::tokencut_lite0_birds50"]')
    return ["label", "photos", "--method", "mine.py", "--out", "labels"]


CASES = [
    Case("labels of a map that is not learnt", label, "learns a map, and the model of mine.py has no losses.*predict"),
    Case("a model that is trained", predict("cam_synthetic"), "needs a checkpoint.*cam_synthetic only", always=True),
    Case(
        "a checkpoint that is not there",
        lambda folder: ["predict", "tokencut_lite0_birds50", "mine.pth", "photos", "--out", "found"],
        "There is no file of weights mine.pth",
    ),
    Case(
        "weights that are not there",
        lambda folder: ["test", "lost_lite0_birds50", "--cfg-options", "model.backbone.weights=none.pth"],
        "There is no file of weights none.pth",
    ),
    Case(
        "a training of nothing",
        lambda folder: ["train", "tokencut_lite0_birds50", "--work-dir", "run"],
        "There is nothing to train: the model of tokencut_lite0_birds50 has no losses",
        always=True,
    ),
]
