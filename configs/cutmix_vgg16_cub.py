"""CutMix (Yun et al. 2019) with VGG16-GAP on CUB-200-2011, on the schedule of CAM there.

wsolkit train cutmix_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = ["cam_vgg16_cub.py"]

model = dict(batch_transforms=[dict(type="CutMix", prob=1.0, beta=1.0)])
