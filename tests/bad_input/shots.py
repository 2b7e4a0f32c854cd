"""What a training on the boxes of a few images can be given wrongly."""

from tests.bad_input.case import Case

CONFIG = """
scenes = dict(type="SyntheticParts", num_classes=3, num_images=12, image_size=32, split={split!r})
shots = dict(type="BoxedShots", dataset=scenes, shots={shots})
model = dict(
    type="FewShotLocalizer",
    backbone=dict(type="TimmBackbone", name="test_resnet"),
    head=dict(type="ForegroundHead"),
    losses=[dict(type="BoxPixelLoss")],
)
train_dataloader = dict(
    batch_size=3, dataset=shots, sampler=dict(type="DefaultSampler"), collate_fn=dict(type="collate_samples")
)
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=1)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1))
"""


def training(**settings):
    """Return a command that trains on shots."""

    def command(folder):
        (folder / "shots.py").write_text(CONFIG.format(**{"split": "val", "shots": 3, **settings}))
        return ["train", "shots.py", "--work-dir", "run"]

    return command


CASES = [
    Case(
        "boxes of the split that results are judged on",
        training(split="test"),
        "BoxedShots would train on boxes of the split 'test', on which results are judged. Take the validation split",
        always=True,
    ),
    Case(
        "more shots than there are images",
        training(shots=5),
        r"Class \d has 4 images with boxes, but shots=5\. Ask for fewer\.",
    ),
    Case("no shots", training(shots=0), "shots of BoxedShots should be"),
]
