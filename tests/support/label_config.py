"""C2AM on the colours of tiny photographs: a method for ``wsolkit label`` that learns in a second."""

_base_ = ["wsolkit::label_objects"]
custom_imports = dict(imports=["tests.support.label_parts"])

tiny = [dict(type="Resize", size=(32, 32), antialias=True)]
weights = None
model = dict(
    backbone=dict(_delete_=True, type="StillColours", weights="none"),
    head=dict(levels=["mixed"]),
    freeze=["mix"],
    precision="fp32",
)
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=[*tiny, dict(type="RandomHorizontalFlip")]))
val_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(pipeline=tiny))
test_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(pipeline=tiny))
train_cfg = dict(max_epochs=2)
