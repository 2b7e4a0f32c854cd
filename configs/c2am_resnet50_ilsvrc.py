"""C2AM with ResNet-50 on ILSVRC in the wsolevaluation layout; no label is used.

    torchrun --nproc-per-node 8 -m wsolkit train c2am_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...

The batch is 256 over all processes: 8 of 32. The loss gathers the embeddings of all of them.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer3", "layer4"], output_stride=16),
    head=dict(type="C2AMHead", levels=["layer4", "layer3"]),
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=256)],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=32, drop_last=True)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
train_cfg = dict(max_epochs=5)
sync_bn = "torch"
