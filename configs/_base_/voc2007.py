# PASCAL VOC 2007 in its official layout: several classes per image, trained on trainval, tested on test.
# The folder VOCdevkit/VOC2007: --cfg-options data_root=..., or WSOLKIT_DATA for the folder that holds voc/VOCdevkit.
# The images of val are also in trainval: the published numbers are of models trained on both. To validate on images
# that were not trained on, set train_dataloader.dataset.split=train.
_base_ = ["./crop224.py"]

data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2007"

train_dataloader = dict(dataset=dict(type="PascalVOC", split="trainval"))
val_dataloader = dict(dataset=dict(type="PascalVOC"))
test_dataloader = dict(dataset=dict(type="PascalVOC"))
