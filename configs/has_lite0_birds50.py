"""Hide-and-Seek (Singh and Lee 2017) with EfficientNet-Lite0 on birds50, on the schedule of CAM there.

wsolkit train has_lite0_birds50 --cfg-options data_root=...
"""

_base_ = ["cam_lite0_birds50.py"]

model = dict(modifiers=[dict(type="HideAndSeek", at="image", sizes=(0, 16, 32, 44, 56), hide_prob=0.5)])
