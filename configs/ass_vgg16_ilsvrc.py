"""ASS (Zhang's thesis, chapter 3) with VGG16-GAP on ILSVRC in the wsolevaluation layout, from ImageNet weights.

    wsolkit train ass_vgg16_ilsvrc --cfg-options data_root=... weights=vgg16.pth

Places, learning rate and batches as in ass_vgg16_cub: 28 x 28 cells behind pool3, 14 x 14 behind pool4 and conv5_3.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

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
