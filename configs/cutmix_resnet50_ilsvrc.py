"""CutMix (Yun et al. 2019) with ResNet-50 on ILSVRC, on the schedule of CAM there.

wsolkit train cutmix_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = ["cam_resnet50_ilsvrc.py"]

model = dict(batch_transforms=[dict(type="CutMix", prob=1.0, beta=1.0)])
