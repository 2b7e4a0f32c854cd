"""Grad-CAM (Selvaraju et al. 2017) with EfficientNet-Lite0 on birds50; the training is CAM's.

wsolkit train gradcam_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(cam_method=dict(type="GradCAM"))
