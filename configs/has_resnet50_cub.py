"""Hide-and-Seek (Singh and Lee 2017) with ResNet-50 on CUB-200-2011, on the schedule of CAM there.

wsolkit train has_resnet50_cub --cfg-options data_root=...
"""

_base_ = ["cam_resnet50_cub.py"]

model = dict(modifiers=[dict(type="HideAndSeek", at="image", sizes=(0, 16, 32, 44, 56), hide_prob=0.5)])
