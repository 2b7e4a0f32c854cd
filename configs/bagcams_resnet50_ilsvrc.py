"""BagCAMs (Zhu et al. 2022) with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train bagcams_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="BagCAMs", at="layer4"))
