"""XGrad-CAM (Fu et al. 2020) with ResNet-50 on CUB-200-2011; the training is CAM's.

wsolkit train xgradcam_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(cam_method=dict(type="XGradCAM"))
