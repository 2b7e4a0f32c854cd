"""ex-CAM (Kushwaha 2022) with ResNet-101 on PASCAL VOC 2007, 224 x 224, from ImageNet weights.

    wsolkit train excam_resnet101_voc07 --cfg-options data_root=...

As excam_resnet101_voc12, trained on trainval. The images of val are among them: to validate on images that were not
trained on, set train_dataloader.dataset.split=train.
"""

_base_ = ["excam_resnet101_voc12.py"]

data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2007"

train_dataloader = dict(dataset=dict(split="trainval"))
