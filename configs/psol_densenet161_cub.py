"""PSOL's box regressor with DenseNet-161 on pseudo boxes of CUB-200-2011, as the authors of C2AM train it.

    wsolkit train psol_densenet161_cub --cfg-options train_dataloader.dataset.annotations=boxes.json

The annotations are the boxes.json of a PseudoBoxes stage. ``weights="timm"`` downloads ImageNet weights through timm;
set a local file with weights=PATH.
"""

_base_ = ["psol_resnet50_cub.py"]

model = dict(backbone=dict(name="densenet161.tv_in1k", levels=["final"]))
