"""CAM with EfficientNet-Lite0 on photographs of surfaces, some of which show a defect, from the installed weights.

    wsolkit train cam_lite0_tiles --cfg-options data_root=...

Folders train/CLASS, val/CLASS and test/CLASS, where photographs of the class ``free`` show nothing; boxes_val.json and
boxes_test.json for evaluation. Small things need large images: squashed to 384 pixels. See cam_lite0_birds50.
"""

_base_ = ["_base_/folder.py", "_base_/sgd_cosine.py"]

data_root = "{{$WSOLKIT_DATA:data}}/tiles"
background = ["free"]
weights = "embedded"
squashed = [dict(type="Resize", size=(384, 384), antialias=True)]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="conv"),
    losses=[dict(type="BinaryCrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.5),
    freeze=[
        "model.conv_stem", "model.bn1", "model.blocks.0", "model.blocks.1", "model.blocks.2", "model.blocks.3",
        "model.blocks.4", "model.blocks.5",
    ],
    norm_eval=["model"],
)  # fmt: skip
train_dataloader = dict(dataset=dict(pipeline=[*squashed, dict(type="RandomHorizontalFlip")]))
val_dataloader = dict(dataset=dict(pipeline=squashed, boxes="boxes_val.json"))
test_dataloader = dict(dataset=dict(pipeline=squashed, boxes="boxes_test.json"))
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
train_cfg = dict(max_epochs=20, val_interval=20)
