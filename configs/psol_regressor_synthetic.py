"""PSOL's box regressor on pseudo boxes of scenes that are drawn on the fly; needs no weights.

    wsolkit train psol_regressor_synthetic --cfg-options train_dataloader.dataset.data_root=FOLDER

The folder is that of a PseudoBoxes stage: it holds boxes.json and the images. The pipeline psol_synthetic makes it.
"""

_base_ = ["_base_/synthetic.py", "_base_/sgd_cosine.py"]

model = dict(
    type="BoxRegressor",
    backbone=dict(type="TimmBackbone", name="resnet10t", levels=["layer4"]),
    hidden=128,
)
train_dataloader = dict(
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
            dict(type="RandomResizedBBoxCrop", size=96, scale=(0.4, 1.0)),
            dict(type="RandomHorizontalFlip"),
        ],
    )
)
val_evaluator = dict(_delete_=True, type="BoxAccMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(monitor="BoxAcc@50"))
optim_wrapper = dict(
    optimizer=dict(lr=0.01, weight_decay=1e-4),
    paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, box_head=2.0)),
)
train_cfg = dict(max_epochs=8)
