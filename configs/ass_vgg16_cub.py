"""ASS (Zhang's thesis, chapter 3) with VGG16-GAP on CUB-200-2011, from ImageNet weights.

    wsolkit train ass_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

Learning rate 1e-3 for all parts, batches of 32 and the thresholds as the thesis. For images of 224 pixels the maps have
28 x 28 cells and 256 channels behind pool3, 14 x 14 cells and 512 channels behind pool4 and conv5_3. A dispersion of 40
is hardly ever reached on 14 x 14 cells, which have 32.5 in all; normalize_dispersion=True makes it one for both sizes.
"""

_base_ = ["cam_vgg16_cub.py"]

model = dict(modifiers=[dict(type="AttentionSelection", at=place) for place in ("pool3", "pool4", "conv5_3")])
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, head=1.0)))
