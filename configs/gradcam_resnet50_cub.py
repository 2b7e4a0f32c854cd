"""Grad-CAM (Selvaraju et al. 2017) with ResNet-50 on CUB-200-2011; the training is CAM's.

wsolkit train gradcam_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(cam_method=dict(type="GradCAM"))
