"""LayerCAM (Jiang et al. 2021) over the four stages of ResNet-50 on ILSVRC in the wsolevaluation layout.

wsolkit train layercam_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(cam_method=dict(type="LayerCAM", at=["layer1", "layer2", "layer3", "layer4"]))
