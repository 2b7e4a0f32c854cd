"""Batch transforms that are none, or that do not fit a loss."""

from tests.bad_input.case import Case


def trained(*options):
    """Return a command that would train with these options."""
    return lambda folder: ["train", "cam_synthetic", "--work-dir", "w", "--cfg-options", *options]


MIXED = "model.batch_transforms=[dict(type='CutMix')]"

CASES = [
    Case("a transform that is none", trained(MIXED.replace("Mix", "Mixx")), "no batch transform named.*'CutMix'"),
    Case("a transform without brackets", trained("model.batch_transforms=CutMix"), "batch_transforms should be a list"),
    Case(
        "mixed labels beside a loss that looks classes up",
        trained(MIXED, "model.losses=[dict(type='CrossEntropy'),dict(type='ExclusiveMaps')]"),
        "CutMix gives an image shares of several classes, but ExclusiveMaps asks which classes it shows",
        always=True,
    ),
]
