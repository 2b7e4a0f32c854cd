"""CCNN with ResNet-50 on PASCAL VOC 2012, 448 x 448, maps of 28 x 28 cells; no label is used.

    torchrun --nproc-per-node 4 -m wsolkit train ccnn_resnet50_voc --launcher pytorch --cfg-options data_root=...

The report shows pictures of VOC and no number. Batch and alpha are C2AM's: 128 images over all processes, 4 of 32.
"""

_base_ = ["_base_/voc2012_448.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="CCNNBackbone", name="resnet50.tv_in1k"),
    head=dict(type="C2AMHead"),  # reads the concatenation
    losses=[dict(type="C2AMLoss", alpha=0.25, batch_size=128)],
    cam_method=dict(  # as c2am_resnet50_voc
        type="MultiScaleMaps",
        scales=(0.5, 1.0, 1.5, 2.0),
        flip=True,
        of=dict(type="C2AMLogitMaps", inverted="negated"),
        normalize="max",
    ),
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
)
train_dataloader = dict(batch_size=32, drop_last=True)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=10)
sync_bn = "torch"  # with several GPUs, batch statistics of the whole batch, as the loss
