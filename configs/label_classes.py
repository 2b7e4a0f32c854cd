"""Boxes around each of several labelled things in a photograph: ``wsolkit label --method classes``.

    wsolkit label photos --labels labels.csv --out labels
    wsolkit train label_classes --cfg-options data_root=photos labels=labels.csv     # the same training by hand

Maps of the classes inside C2AM's map of all objects, which learns without labels, both on features that stay as
ImageNet taught them.
"""

_base_ = ["_base_/folder.py", "_base_/sgd_c2am.py"]

weights = "embedded"
squashed = [dict(type="Resize", size=(224, 224), antialias=True)]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["blocks.4", "blocks.6"], output_stride=16),
    head=dict(
        type="InsideForeground",
        classes=dict(
            type="ConvHead", level="blocks.6", standardize=True, pooling=dict(type="TopCellsPooling", share=0.05)
        ),
        foreground=dict(type="C2AMHead", levels=["blocks.6", "blocks.4"]),
    ),
    losses=[dict(type="BinaryCrossEntropy"), dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    box_extractor=dict(type="LargestComponent", threshold=0.5),
    freeze=["model"],
)
train_dataloader = dict(
    batch_size=16, drop_last=True, dataset=dict(split="all", pipeline=[*squashed, dict(type="RandomHorizontalFlip")])
)
val_dataloader = dict(dataset=dict(pipeline=squashed))
test_dataloader = dict(dataset=dict(pipeline=squashed))
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(lr_mult={"head.classes": 100.0}))
train_cfg = dict(max_epochs=3)
