"""PSOL's box regressor with DenseNet-161 on pseudo boxes of ILSVRC, in the paper's settings.

    wsolkit train psol_densenet161_ilsvrc --cfg-options train_dataloader.dataset.annotations=boxes.json

The annotations are the boxes.json of a PseudoBoxes stage. ``weights="timm"`` downloads ImageNet weights through timm;
set a local file with weights=PATH.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/psol_sgd.py"]

weights = "timm"

model = dict(
    type="BoxRegressor",
    backbone=dict(type="TimmBackbone", name="densenet161.tv_in1k", levels=["final"]),
    loss="mse",
)
train_dataloader = dict(
    batch_size=256,
    dataset=dict(
        _delete_=True,
        type="COCO",
        split="train",
        annotations="boxes.json",
        images="",
        masks=False,
        load_targets=True,
        transform_targets=True,
        on_corrupt="skip",
        pipeline=[
            dict(type="RandomResizedBBoxCrop", size=224, scale=(0.2, 1.0)),
            dict(type="RandomHorizontalFlip"),
        ],
    ),
)
val_evaluator = dict(_delete_=True, type="BoxAccMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(monitor="BoxAcc@50"))
