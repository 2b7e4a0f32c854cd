"""ACoL (Zhang et al. 2018) with VGG16 on CUB-200-2011: the classifiers stand in the place of CAM's extra convolution.

wsolkit train acol_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = "./cam_vgg16_cub.py"

model = dict(
    backbone=dict(extra_channels=0),
    head=dict(_delete_=True, type="ACoLHead", threshold=0.6),
    losses=[dict(type="CrossEntropy"), dict(type="CrossEntropy", logits="second_logits", name="second")],
    cam_method=dict(type="SecondLook"),
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, head=10.0)))
