"""Finer-CAM (Zhang et al. 2025) with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train finercam_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="FinerCAM"))
