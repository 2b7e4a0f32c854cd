# PASCAL VOC 2012 in its official layout: several classes per image.
# The folder VOCdevkit/VOC2012: --cfg-options data_root=..., or WSOLKIT_DATA for the folder that holds voc/VOCdevkit.
_base_ = ["./crop224.py"]

data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2012"

train_dataloader = dict(dataset=dict(type="PascalVOC"))
val_dataloader = dict(dataset=dict(type="PascalVOC"))
test_dataloader = dict(dataset=dict(type="PascalVOC"))
