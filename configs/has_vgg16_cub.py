"""Hide-and-Seek (Singh and Lee 2017) with VGG16-GAP on CUB-200-2011, on the schedule of CAM there.

wsolkit train has_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = ["cam_vgg16_cub.py"]

model = dict(modifiers=[dict(type="HideAndSeek", at="image", sizes=(0, 16, 32, 44, 56), hide_prob=0.5)])
