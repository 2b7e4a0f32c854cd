"""CCNN with ResNet-50 on CUB-200-2011 from weights learned without labels: MoCo v2 or DetCo.

    wsolkit train ccnn_resnet50_cub_moco --cfg-options data_root=... weights=moco_v2_800ep_pretrain.pth.tar

The checkpoint is a local file as its authors publish it; a file that fits the network too little is refused. Both
last stages start from it, gates and head from random numbers. alpha is C2AM's for such weights.
"""

_base_ = ["ccnn_resnet50_cub.py"]

weights = "moco_v2_800ep_pretrain.pth.tar"

model = dict(backbone=dict(name="resnet50"), losses=[dict(type="C2AMLoss", alpha=0.75, batch_size=16)])
