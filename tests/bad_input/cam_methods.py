"""CAM methods: places that are none, formulas that are none. They are refused before anything is trained."""

from tests.bad_input.case import Case


def trained(*options):
    """Return a command that would train with these options of the CAM method."""
    given = [f"model.cam_method.{option}" for option in options]
    return lambda folder: ["train", "cam_synthetic", "--work-dir", "w", "--cfg-options", *given]


CASES = [
    Case("a place that is none", trained("type=GradCAM", "at=layer9"), "has no module 'layer9'. Did you", always=True),
    Case("a list with a place that is none", trained("type=LayerCAM", "at=[layer9]"), "has no module 'layer9'"),
    Case("a place twice", trained("type=GradCAM", "at=[conv1,conv1]"), "a list of different ones, but got"),
    Case("maps fused by what is no way", trained("type=GradCAM", "fuse=median"), "fuse.*mean.*max.*median"),
    Case("a formula that is none", trained("type=FinerCAM", "of=cam"), "of.*grad-cam.*layer-cam", always=True),
    Case("no similar classes", trained("type=FinerCAM", "compare=0"), "compare.*at least 1"),
    Case("negative noise", trained("type=SmoothGradCAMPlusPlus", "std=-1"), "std.*at least 0"),
    Case(
        "a definition that is none", trained("type=ScoreCAM", "definition=paper"), "definition.*increase.*probability"
    ),
    Case("a place of masks that is none", trained("type=ScoreCAM", "at=layer9"), "has no module 'layer9'"),
]
