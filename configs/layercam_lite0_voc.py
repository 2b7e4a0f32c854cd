"""LayerCAM (Jiang et al. 2021) over four layers of EfficientNet-Lite0 on PASCAL VOC 2012; the training is CAM's.

wsolkit train layercam_lite0_voc --cfg-options data_root=...
"""

_base_ = "./cam_lite0_voc.py"

model = dict(cam_method=dict(type="LayerCAM", at=["blocks.2", "blocks.4", "blocks.6", "final"]))
