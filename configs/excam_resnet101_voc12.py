"""ex-CAM (Kushwaha 2022) with ResNet-101 on PASCAL VOC 2012, 224 x 224, from ImageNet weights.

    wsolkit train excam_resnet101_voc12 --cfg-options data_root=...

The dissertation gives 8 maps per class, a fifth of the cells, alpha .6, batches of 16 images and maps of 7 x 7 cells,
which means images of 224 pixels with this network. Learning rate, epochs and augmentation are those of WILDCAT's code.
model.modifiers.0.variant=literal drops as the dissertation prints it.
"""

_base_ = ["wildcat_resnet101_voc.py"]

model = dict(
    head=dict(pooling=dict(alpha=0.6)),
    modifiers=[
        dict(type="SequentialDrop", at="maps", variant="fixed"),
        dict(type="ScaleGradient", at="maps"),
    ],
)
warped = [dict(type="Resize", size=(224, 224), antialias=True)]
train_dataloader = dict(dataset=dict(pipeline=[*warped, dict(type="RandomHorizontalFlip")]))
val_dataloader = dict(dataset=dict(pipeline=warped))
test_dataloader = dict(dataset=dict(pipeline=warped))
