"""Smooth Grad-CAM++ (Omeiza et al. 2019) with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train smooth_gradcampp_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="SmoothGradCAMPlusPlus", at="layer4"))
