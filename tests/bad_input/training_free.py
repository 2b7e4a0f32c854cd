"""What `wsolkit predict`, `test` and `train` are given of models in which nothing is trained."""

from tests.bad_input.case import Case


def predict(*words):
    """Return what makes a folder of no photographs and predicts with a configuration alone."""

    def command(folder):
        (folder / "photos").mkdir()
        return ["predict", *words, "photos", "--out", "found"]

    return command


CASES = [
    Case("a model that is trained", predict("cam_synthetic"), "needs a checkpoint.*cam_synthetic only", always=True),
    Case("no photographs", predict("tokencut_lite0_birds50"), "photos holds no image"),
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
