"""ASS (Zhang's thesis, chapter 3) with VGG16-GAP on CUB-200-2011, from ImageNet weights.

    wsolkit train ass_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

Learning rate 1e-3 for all parts, batches of 32 and the thresholds as the thesis. For images of 224 pixels the maps have
28 x 28 cells and 256 channels behind pool3, 14 x 14 cells and 512 channels behind pool4 and conv5_3. A dispersion of 40
is hardly ever reached on 14 x 14 cells, which have 32.5 in all; rule=dict(normalize_dispersion=True) makes it one
for both sizes.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP"),
    head=dict(type="CAMHead", form="linear"),
    modifiers=[dict(type="AttentionSelection", at=place) for place in ("pool3", "pool4", "conv5_3")],
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=50)
