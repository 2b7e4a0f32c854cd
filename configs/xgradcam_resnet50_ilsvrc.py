"""XGrad-CAM (Fu et al. 2020) with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train xgradcam_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="XGradCAM"))
