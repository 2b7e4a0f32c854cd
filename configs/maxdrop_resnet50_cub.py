"""Max-drop (Park and Kwak 2016) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train maxdrop_resnet50_cub --cfg-options data_root=...

It sits on the features that the classifier reads and behind the stage before.
"""

_base_ = ["./cam_resnet50_cub.py"]

model = dict(modifiers=[dict(type="MaxDrop", drop_prob=0.5, at=place) for place in ("layer3", "layer4")])
