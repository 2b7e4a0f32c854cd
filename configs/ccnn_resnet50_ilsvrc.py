"""CCNN with ResNet-50 on ILSVRC in the wsolevaluation layout; no label is used. The report has no such experiment.

    torchrun --nproc-per-node 8 -m wsolkit train ccnn_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...

Batch, epochs and alpha are C2AM's: 256 images over all processes, 8 of 32.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="CCNNBackbone", name="resnet50.tv_in1k"),
    head=dict(type="C2AMHead"),  # reads the concatenation
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=256)],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=32, drop_last=True)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=5)
sync_bn = "torch"  # with several GPUs, batch statistics of the whole batch, as the loss
