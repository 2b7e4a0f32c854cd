"""C2AM on your own folder of photographs: boxes around whole objects, one per image, classes from the folders.

    wsolkit train c2am_folder --cfg-options data_root=photos
    wsolkit predict work_dirs/c2am_folder/config.py work_dirs/c2am_folder/last.pth photos --classes folder --out boxes

The map is trained without labels on features that stay as ImageNet taught them, so one or two minutes are enough; it
needs some hundred photographs of one kind of scene, with the object rarely at the border. ``weights="embedded"``
are ImageNet weights that are installed with wsolkit; weights="timm" downloads timm's own of the same network, and
weights=PATH takes a local file.
"""

_base_ = ["_base_/folder.py", "_base_/sgd_c2am.py"]

weights = "embedded"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["blocks.4", "blocks.6"], output_stride=16),
    head=dict(type="C2AMHead", levels=["blocks.6", "blocks.4"]),
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    # Where no photograph has a box, this cut is used; on birds50 val chooses .60 to .72.
    box_extractor=dict(type="LargestComponent", threshold=0.65),
    freeze=["model"],
)
train_dataloader = dict(batch_size=16, drop_last=True)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=3)
