"""CCNN with ResNet-50 on PASCAL VOC 2012, 448 x 448, maps of 28 x 28 cells; no label is used.

    torchrun --nproc-per-node 4 -m wsolkit train ccnn_resnet50_voc --launcher pytorch --cfg-options data_root=...

The report shows pictures of VOC and no number. Batch and alpha are C2AM's: 128 images over all processes, 4 of 32.
"""

_base_ = ["c2am_resnet50_voc.py"]

model = dict(
    backbone=dict(_delete_=True, type="CCNNBackbone", name="resnet50.tv_in1k"),
    head=dict(_delete_=True, type="C2AMHead"),  # reads the concatenation
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=10)
