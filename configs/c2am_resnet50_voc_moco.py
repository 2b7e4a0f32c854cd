"""C2AM with ResNet-50 on PASCAL VOC 2012 from weights learned without labels: MoCo v2 or DetCo.

    wsolkit train c2am_resnet50_voc_moco --cfg-options data_root=... weights=moco_v2_800ep_pretrain.pth.tar

The checkpoint is a local file as its authors publish it; a file that fits the network too little is refused. alpha is
.25, the paper's for VOC, where its numbers are those of MoCo weights.
"""

_base_ = ["c2am_resnet50_voc.py"]

weights = "moco_v2_800ep_pretrain.pth.tar"

model = dict(backbone=dict(name="resnet50"))
