"""PSOL's box regressor with MobileNetV2 on pseudo boxes of birds50, from ImageNet weights.

    wsolkit train psol_regressor_mobilenetv2_birds50 --cfg-options train_dataloader.dataset.annotations=boxes.json

The annotations are the boxes.json of a PseudoBoxes stage; with data=birds50 the pipelines psol_maps and psol_ddt make
them. The weights are a local file, or the environment variable WSOLKIT_WEIGHTS.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="BoxRegressor",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"]),
    loss="mse",
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
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
            dict(type="RandomResizedBBoxCrop", size=224, scale=(0.2, 1.0)),
            dict(type="RandomHorizontalFlip"),
        ],
    )
)
val_evaluator = dict(_delete_=True, type="BoxAccMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(monitor="BoxAcc@50"))
optim_wrapper = dict(
    optimizer=dict(lr=0.005, weight_decay=1e-4),
    paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, box_head=2.0)),
)
train_cfg = dict(max_epochs=8)
