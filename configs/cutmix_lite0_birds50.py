"""CutMix (Yun et al. 2019) with EfficientNet-Lite0 on birds50, on the schedule of CAM there.

wsolkit train cutmix_lite0_birds50 --cfg-options data_root=...
"""

_base_ = ["cam_lite0_birds50.py"]

model = dict(batch_transforms=[dict(type="CutMix", prob=1.0, beta=1.0)])
