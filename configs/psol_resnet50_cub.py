"""PSOL's box regressor with ResNet-50 on pseudo boxes of CUB-200-2011, as the authors of C2AM train it.

    wsolkit train psol_resnet50_cub --cfg-options train_dataloader.dataset.annotations=boxes.json

The annotations are the boxes.json of a PseudoBoxes stage. ``weights="timm"`` downloads ImageNet weights through timm;
set a local file with weights=PATH.
"""

_base_ = ["_base_/cub200.py", "_base_/psol_sgd.py"]

weights = "timm"

model = dict(
    type="BoxRegressor",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer4"]),
    loss="mse",
)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _delete_=True,
        type="COCO",
        split="train",
        annotations="boxes.json",
        images="",
        masks=False,
        load_targets=True,
        transform_targets=True,
        pipeline=[
            dict(type="RandomResizedBBoxCrop", size=224, scale=(0.2, 1.0)),
            dict(type="RandomHorizontalFlip"),
        ],
    ),
)
val_evaluator = dict(_delete_=True, type="BoxAccMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(monitor="BoxAcc@50"))
optim_wrapper = dict(optimizer=dict(lr=0.002))
param_scheduler = [dict(type="CosineAnnealingLR", convert_to_iter_based=True)]
train_cfg = dict(max_epochs=100)
