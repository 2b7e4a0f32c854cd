"""Grad-CAM++ (Chattopadhay et al. 2018) with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train gradcampp_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="GradCAMPlusPlus"))
