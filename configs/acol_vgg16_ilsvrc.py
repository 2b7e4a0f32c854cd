"""ACoL (Zhang et al. 2018) with VGG16 on ILSVRC in the wsolevaluation layout.

    wsolkit train acol_vgg16_ilsvrc --cfg-options data_root=... weights=vgg16.pth

The weights are torchvision's VGG16 in a local file.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP", extra_channels=0),
    head=dict(type="ACoLHead", threshold=0.6),
    losses=[dict(type="CrossEntropy"), dict(type="CrossEntropy", logits="second_logits", name="second")],
    cam_method=dict(type="SecondLook"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult=dict(backbone=1.0, head=10.0)))
