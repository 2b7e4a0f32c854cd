"""WILDCAT (Durand et al. 2017) with ResNet-101 on PASCAL VOC 2007, 448 x 448, from ImageNet weights.

    wsolkit train wildcat_resnet101_voc07 --cfg-options data_root=...

As wildcat_resnet101_voc; the authors' published numbers are of this data, of models trained on trainval. The images of
val are among them: to validate on images that were not trained on, set train_dataloader.dataset.split=train.
"""

_base_ = ["wildcat_resnet101_voc.py"]

data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2007"

train_dataloader = dict(dataset=dict(split="trainval"))
