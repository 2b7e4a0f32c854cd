"""SPG (Zhang et al. 2018) with VGG16 on CUB-200-2011: two convolutions of the classifier in the place of CAM's one.

wsolkit train spg_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = "./cam_vgg16_cub.py"

model = dict(
    backbone=dict(extra_channels=0),
    head=dict(_delete_=True, type="SPGHead", levels=["block3", "block4", "block5"], hidden=[1024, 1024]),
    losses=[dict(type="CrossEntropy"), dict(type="SelfProducedGuidance")],
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, head=10.0)))
