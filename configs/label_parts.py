"""Boxes around what only the label tells, such as defects on a surface: ``wsolkit label --method parts``.

    wsolkit label photos --background free --out labels
    wsolkit train label_parts --cfg-options data_root=photos background=[free]      # the same training by hand

Small things need large images and a level that still knows where they are: images squashed to 384 pixels, blocks.4 at
stride 16, of features that stay as ImageNet taught them. Photographs of the classes in ``background`` show nothing.
"""

_base_ = ["_base_/folder.py", "_base_/sgd_c2am.py"]

weights = "embedded"
squashed = [dict(type="Resize", size=(384, 384), antialias=True)]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["blocks.4"], output_stride=16),
    head=dict(type="PartsHead", pooling=dict(type="TopCellsPooling", share=0.05)),
    losses=[
        dict(type="CrossEntropyOrNothing"),
        dict(type="CrossEntropyOrNothing", logits="map_logits", name="maps"),
    ],
    box_extractor=dict(type="LargestComponent", threshold=0.5),
    freeze=["model"],
)
train_dataloader = dict(
    batch_size=32, dataset=dict(split="all", pipeline=[*squashed, dict(type="RandomHorizontalFlip")])
)
val_dataloader = dict(dataset=dict(pipeline=squashed))
test_dataloader = dict(dataset=dict(pipeline=squashed))
optim_wrapper = dict(optimizer=dict(_delete_=True, type="AdamW", lr=0.1, weight_decay=0.1))
train_cfg = dict(max_epochs=60)
