"""CAM on your own folder of labelled photographs.

    wsolkit train cam_folder --cfg-options data_root=photos

``weights="embedded"`` are ImageNet weights that are installed with wsolkit. ``weights="timm"`` downloads timm's own of
the same network, weights=PATH takes a local file, weights=None starts from scratch. Another network in one line:

    wsolkit train cam_folder --cfg-options data_root=photos weights=timm model.backbone.name=resnet18.tv_in1k \\
        "model.backbone.levels=['layer4']" model.freeze=[] model.data_preprocessor.type=ImagePreprocessor \\
        "model.data_preprocessor.mean=(0.485,0.456,0.406)" "model.data_preprocessor.std=(0.229,0.224,0.225)"

The number of classes is read from the folder. The boxes are around what tells a class from the others, often a part;
c2am_folder's are around whole objects.
"""

_base_ = ["_base_/folder.py", "_base_/sgd_cosine.py"]

weights = "embedded"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
