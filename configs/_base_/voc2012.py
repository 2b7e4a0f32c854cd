# PASCAL VOC 2012 in its official layout: several classes per image.
# The folder VOCdevkit/VOC2012: --cfg-options data_root=..., or WSOLKIT_DATA for the folder that holds voc/VOCdevkit.
# The labels of test are not public. Without them test on val, wsolkit test ... --split val: the threshold of boxes,
# which is chosen on val, is then chosen on the images that are scored.
_base_ = ["./crop224.py"]

data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2012"

train_dataloader = dict(dataset=dict(type="PascalVOC"))
val_dataloader = dict(dataset=dict(type="PascalVOC"))
test_dataloader = dict(dataset=dict(type="PascalVOC"))
