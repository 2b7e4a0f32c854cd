"""PoolNet with ResNet-50 on the background cues of PASCAL VOC 2012, with the papers' numbers.

    wsolkit train wsss_saliency_resnet50_voc --cfg-options data_root=... train_dataloader.dataset.cues=FOLDER

FOLDER is that of a BackgroundCues stage. Images keep their size, so one goes at a time; the loss of an image is the sum
over its pixels and ten images make a step. The papers train on train_aug (10,582 images): set
train_dataloader.dataset.dataset.split=train_aug where that list lies in ImageSets. Adam and the sum are PoolNet's; the
learning rate, the weight decay and the 9 epochs are what C2AM's authors use with it.
"""

_base_ = ["_base_/saliency.py"]

weights = "timm"
data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2012"

model = dict(
    type="SaliencyNetwork",
    backbone=dict(
        type="TimmBackbone", name="resnet50.tv_in1k", levels=["act1", "layer1", "layer2", "layer3", "layer4"]
    ),
    width=256,
    reduction="sum",
)
train_dataloader = dict(dataset=dict(dataset=dict(type="PascalVOC", split="train")))
