"""The gradient at the pixels (Simonyan et al. 2014) with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train bp_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="InputGradient"))
