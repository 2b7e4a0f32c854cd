"""The gradient at the pixels (Simonyan et al. 2014) with EfficientNet-Lite0 on birds50; the training is CAM's.

wsolkit train bp_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(cam_method=dict(type="InputGradient"))
