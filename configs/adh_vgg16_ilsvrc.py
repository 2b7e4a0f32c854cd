"""ADH (Zhang's thesis, chapter 4) with VGG16-GAP on ILSVRC in the wsolevaluation layout, from ImageNet weights.

    wsolkit train adh_vgg16_ilsvrc --cfg-options data_root=... weights=vgg16.pth

Places, areas, learning rate and batches as in adh_vgg16_cub.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

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
