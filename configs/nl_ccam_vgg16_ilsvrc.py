"""NL-CCAM (Yang et al. 2020) with VGG16-GAP on ILSVRC in the wsolevaluation layout.

wsolkit train nl_ccam_vgg16_ilsvrc --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP"),
    head=dict(type="CAMHead", form="linear"),
    modifiers=[dict(type="NonLocal", at="pool3"), dict(type="NonLocal", at="conv5_3")],
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="CombinedMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.12),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult={"backbone": 1.0, "backbone.conv6": 10.0, "head": 10.0})
)
