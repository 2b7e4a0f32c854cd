"""PSOL's box regressor with EfficientNet-Lite0 on pseudo boxes of birds50, frozen as cam_lite0_birds50 is.

    wsolkit train psol_regressor_lite0_birds50 --cfg-options train_dataloader.dataset.annotations=boxes.json

The annotations are the boxes.json of a PseudoBoxes stage; the pipeline psol_lite0_birds50 makes them.
"""

_base_ = ["./psol_regressor_mobilenetv2_birds50.py"]

weights = "embedded"

model = dict(
    backbone=dict(_delete_=True, type="TimmBackbone", name="tf_efficientnet_lite0", levels=["final"]),
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2", "blocks.3", "blocks.4", "blocks.5"],
)
train_cfg = dict(max_epochs=6)
