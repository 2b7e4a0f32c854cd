"""Grad-CAM++ (Chattopadhay et al. 2018) with ResNet-50 on CUB-200-2011; the training is CAM's.

wsolkit train gradcampp_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(cam_method=dict(type="GradCAMPlusPlus"))
