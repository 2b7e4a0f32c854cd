"""Methods for images of several classes on PASCAL VOC 2012 with EfficientNet-Lite0, from the installed weights.

    WSOLKIT_DATA=... wsolkit benchmark voc --out results/voc --jobs 2

Images of 224 pixels, mirrored at random, six epochs. Methods that need no labels (C2AM, PC1) have one map for all
classes of an image.
"""

tail = {"feature_cache": dict(level="blocks.5", evaluate=True)}
pixels = {"feature_cache": dict(level="blocks.5")}
head = {"feature_cache": dict(evaluate=True)}
cam = "cam_lite0_voc"
levels = ["blocks.2", "blocks.4", "blocks.6", "final"]
two_stages = {"model.backbone.levels": ["blocks.4", "blocks.6"], "model.freeze": ["model"], **head}
gradually = dict(type="ScaleGradient", at="maps")
foreground = dict(type="C2AMHead", levels=["blocks.6", "blocks.4"])
of_objects = dict(type="C2AMLoss", alpha=0.05, batch_size=32)


def several_maps(alpha, modifiers, losses=()):
    """Return the options of a head with eight maps for each class."""
    pooling = dict(type="WildcatPooling", kmax=0.2, kmin=0.2, alpha=alpha)
    return {
        **tail,
        "model.head": dict(type="ConvHead", maps_per_class=8, pooling=pooling),
        "model.modifiers": modifiers,
        "model.losses": [dict(type="BinaryCrossEntropy"), *losses],
    }


methods = {
    "CAM": dict(config=cam, options=tail),
    # What CAM's network has learnt, with other maps.
    "Grad-CAM": dict(config=cam, options=tail, cam_method="GradCAM"),
    "Grad-CAM++": dict(config=cam, options=tail, cam_method="GradCAMPlusPlus"),
    "LayerCAM": dict(config=cam, options=tail, cam_method="LayerCAM"),
    "LayerCAM, 4 levels": dict(config=cam, options=pixels, cam_method=dict(type="LayerCAM", at=levels)),
    "RCAM maps": dict(config=cam, options=tail, cam_method="RecombinedMaps"),
    "CAM + CRF": dict(config=cam, options=pixels, cam_method="CRFMaps"),
    # Trained otherwise.
    "WILDCAT": dict(config=cam, options=several_maps(0.7, [gradually])),
    "ex-CAM": dict(
        config=cam, options=several_maps(0.6, [dict(type="SequentialDrop", at="maps", variant="fixed"), gradually])
    ),
    "ex-CAM, exclusive": dict(
        config=cam, options=several_maps(0.6, [gradually], [dict(type="ExclusiveMaps", weight=0.1)])
    ),
    # Frozen features.
    "C2AM": dict(
        config=cam,
        options={
            **two_stages,
            "model.head": foreground,
            "model.losses": [of_objects],
            "train_dataloader.drop_last": True,
            "optim_wrapper.optimizer.lr": 1e-3,
            "optim_wrapper.paramwise_cfg.lr_mult.head": 1.0,
        },
    ),
    "Classes inside C2AM": dict(
        config=cam,
        options={
            **two_stages,
            "model.head": dict(
                type="InsideForeground",
                classes=dict(
                    type="ConvHead",
                    level="blocks.6",
                    standardize=True,
                    pooling=dict(type="TopCellsPooling", share=0.05),
                ),
                foreground=foreground,
            ),
            "model.losses": [dict(type="BinaryCrossEntropy"), of_objects],
            "train_dataloader.drop_last": True,
            "optim_wrapper.optimizer.lr": 1e-3,
            "optim_wrapper.paramwise_cfg.lr_mult": {"head.classes": 100.0},
        },
    ),
    "TriLite": dict(config="trilite_lite0_voc", options=head),
    "PC1": dict(
        config=cam,
        options={"model.head": dict(type="FeatureHead"), "model.losses": [], "model.freeze": ["model"]},
        cam_method="PC1",
    ),
}
data = {"voc": dict(root="{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2012")}
seeds = [0, 1, 2]
budget = dict(epochs=6)
baseline = "CAM"
