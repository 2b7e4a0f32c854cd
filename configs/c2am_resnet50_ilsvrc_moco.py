"""C2AM with ResNet-50 on ILSVRC from weights learned without labels: MoCo v2 or DetCo.

    wsolkit train c2am_resnet50_ilsvrc_moco --cfg-options data_root=... weights=moco_v2_800ep_pretrain.pth.tar

The checkpoint is a local file as its authors publish it; a file that fits the network too little is refused. alpha is
that of supervised weights: neither the paper nor its code names another one for ILSVRC.
"""

_base_ = ["c2am_resnet50_ilsvrc.py"]

weights = "moco_v2_800ep_pretrain.pth.tar"

model = dict(backbone=dict(name="resnet50"))
