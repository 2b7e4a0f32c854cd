"""CCNN with ResNet-50 on ILSVRC in the wsolevaluation layout; no label is used. The report has no such experiment.

    torchrun --nproc-per-node 8 -m wsolkit train ccnn_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...

Batch, epochs and alpha are C2AM's: 256 images over all processes, 8 of 32.
"""

_base_ = ["c2am_resnet50_ilsvrc.py"]

model = dict(
    backbone=dict(_delete_=True, type="CCNNBackbone", name="resnet50.tv_in1k"),
    head=dict(_delete_=True, type="C2AMHead"),  # reads the concatenation
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
