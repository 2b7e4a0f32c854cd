"""SPG (Zhang et al. 2018) with the authors' InceptionV3 on ILSVRC in the wsolevaluation layout.

    wsolkit train spg_inceptionv3_ilsvrc --cfg-options data_root=... weights=inception_v3.pth

The weights are torchvision's InceptionV3 in a local file.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="InceptionV3"),
    head=dict(type="SPGHead", levels=["mixed_6a", "mixed_6b", "mixed_6e"], hidden=[1024, 1024]),
    losses=[dict(type="CrossEntropy"), dict(type="SelfProducedGuidance")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult=dict(backbone=1.0, head=10.0)))
