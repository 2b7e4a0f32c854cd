"""CCNN with ResNet-50 on ILSVRC from weights learned without labels: MoCo v2 or DetCo.

    wsolkit train ccnn_resnet50_ilsvrc_moco --cfg-options data_root=... weights=moco_v2_800ep_pretrain.pth.tar

The checkpoint is a local file as its authors publish it; a file that fits the network too little is refused. Both
last stages start from it, gates and head from random numbers. The report has no such experiment.
"""

_base_ = ["ccnn_resnet50_ilsvrc.py"]

weights = "moco_v2_800ep_pretrain.pth.tar"

model = dict(backbone=dict(name="resnet50"))
