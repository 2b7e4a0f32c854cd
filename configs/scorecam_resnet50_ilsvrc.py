"""Score-CAM (Wang et al. 2020), all channels, with ResNet-50 on ILSVRC; the training is CAM's.

wsolkit train scorecam_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="ScoreCAM"))
