"""ADH (Zhang's thesis, chapter 4) with VGG16-GAP on CUB-200-2011, from ImageNet weights.

    wsolkit train adh_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

The rule of ASS chooses the images, AreaHiding the cells. Learning rate 1e-3 for all parts, batches of 32 and the
threshold .8 as the thesis. For images of 224 pixels maps have 28 x 28 cells behind pool3, where areas are 7 x 7, and
14 x 14 behind pool4 and conv5_3, where they are 3 x 3; the thesis does not tell their size.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

hide = dict(type="AreaHiding", threshold=0.8)

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP"),
    head=dict(type="CAMHead", form="linear"),
    modifiers=[dict(type="AttentionSelection", at=place, hide=hide) for place in ("pool3", "pool4", "conv5_3")],
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=50)
