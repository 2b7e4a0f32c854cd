"""Every method on birds50 with EfficientNet-Lite0, from the weights installed with wsolkit.

    WSOLKIT_DATA=... wsolkit benchmark birds50 --out results/birds50 --jobs 2

Images of 224 pixels, mirrored at random, three epochs. The last stage of the network and the head are trained, or the
head alone where a method wants frozen features; what the frozen part makes of the images is computed once.
"""

tail = {"feature_cache": dict(level="blocks.5", evaluate=True)}
earlier = {"feature_cache": dict(level="blocks.3", evaluate=True)}
pixels = {"feature_cache": dict(level="blocks.5")}
head = {"feature_cache": dict(evaluate=True)}
cam = "cam_lite0_birds50"
places = ("blocks.6.0.bn1", "blocks.6.0.bn2", "bn2")  # three places of the last stage, in the stead of a paper's three
levels = ["blocks.2", "blocks.4", "blocks.6", "final"]

hide = dict(type="AreaHiding", threshold=0.8, temperature=0.1)  # of ADH
both_sides = dict(type="MultiScaleMaps", scales=[1.0], flip=True, resize="bicubic")

methods = {
    "CAM": dict(config=cam, options=tail),
    # What CAM's network has learnt, with other maps.
    "Grad-CAM": dict(config=cam, options=tail, cam_method="GradCAM"),
    "Grad-CAM++": dict(config=cam, options=tail, cam_method="GradCAMPlusPlus"),
    "XGrad-CAM": dict(config=cam, options=tail, cam_method="XGradCAM"),
    "LayerCAM": dict(config=cam, options=tail, cam_method="LayerCAM"),
    "LayerCAM, 4 levels": dict(config=cam, options=pixels, cam_method=dict(type="LayerCAM", at=levels)),
    "Grad-CAM, 4 levels": dict(config=cam, options=pixels, cam_method=dict(type="GradCAM", at=levels)),
    "Finer-CAM": dict(config=cam, options=tail, cam_method="FinerCAM"),
    "BP": dict(config=cam, options=pixels, cam_method="InputGradient"),
    "Smooth Grad-CAM++": dict(config=cam, options=pixels, cam_method=dict(type="SmoothGradCAMPlusPlus", at="blocks.6")),
    "Score-CAM, 16 channels": dict(config=cam, options=pixels, cam_method=dict(type="ScoreCAM", channels=16)),
    "BagCAMs": dict(config=cam, options=pixels, cam_method=dict(type="BagCAMs", at="blocks.6")),
    "CombinedMaps": dict(config=cam, options=tail, cam_method="CombinedMaps"),
    "RCAM maps": dict(config=cam, options=tail, cam_method="RecombinedMaps"),
    "CAM + CRF": dict(config=cam, options=pixels, cam_method="CRFMaps"),
    # Trained otherwise.
    "HaS": dict(config="has_lite0_birds50"),
    "CutMix": dict(config="cutmix_lite0_birds50"),
    "ACoL": dict(config="acol_lite0_birds50", options=tail),
    "SPG": dict(config="spg_lite0_birds50", options=earlier),
    "ADL": dict(config="adl_lite0_birds50", options=tail),
    "DANet": dict(config="danet_lite0_birds50", options=tail),
    "NL-CCAM": dict(config="nl_ccam_lite0_birds50", options=earlier),
    "I2C": dict(config="i2c_lite0_birds50", options=tail),
    "EIL": dict(config="eil_lite0_birds50", options=tail),
    "MEIL": dict(config="meil_lite0_birds50", options=earlier),
    "BAS": dict(config="bas_lite0_birds50", options=tail),
    "Dropout": dict(config="dropout_lite0_birds50", options=tail),
    "SpatialDropout": dict(config="spatial_dropout_lite0_birds50", options=tail),
    "DropBlock": dict(config="dropblock_lite0_birds50", options=tail),
    "MaxDrop": dict(config="maxdrop_lite0_birds50", options=tail),
    "SE": dict(config="se_lite0_birds50", options=tail),
    "CBAM": dict(config="cbam_lite0_birds50", options=tail),
    "Dual attention": dict(config="dual_attention_lite0_birds50", options=tail),
    # The five papers' own.
    "RCAM": dict(
        config=cam,
        options={
            **tail,
            "model.head": dict(type="LinearHead", pooling=dict(type="SoftmaxWeightedPooling")),
            "model.cam_method": dict(type="RecombinedMaps"),
            "model.box_extractor": dict(type="TwoStageBox"),
            "optim_wrapper.optimizer.lr": 0.005,
        },
    ),
    "ASS": dict(
        config=cam, options={**tail, "model.modifiers": [dict(type="AttentionSelection", at=each) for each in places]}
    ),
    "ADH": dict(
        config=cam,
        options={
            **tail,
            "model.modifiers": [dict(type="AttentionSelection", at=each, hide=hide) for each in places],
        },
    ),
    "CSoA": dict(
        config=cam,
        options={
            **tail,
            "model.backbone.levels": ["blocks.6", "final"],
            "model.head": dict(type="TwoBranchHead", levels=["blocks.6", "final"], hidden=128),
            "model.losses": [dict(type="CrossEntropy"), dict(type="ConfSeg")],
            "model.cam_method": dict(type="BranchUnion"),
            "model.box_extractor.threshold": 0.3,
            "optim_wrapper.optimizer.lr": 0.01,
        },
    ),
    "C2AM": dict(config="c2am_lite0_birds50", options=head),
    "CCNN": dict(
        config="c2am_lite0_birds50",
        options={
            "feature_cache": None,  # its attention is trained between the stages
            "model.backbone": dict(
                type="CCNNBackbone", name="tf_efficientnet_lite0", levels=["final"], output_stride=16
            ),
            "model.head.levels": None,  # the concatenation
            "model.freeze": ["model", "amm_stage.parts"],
            "optim_wrapper.paramwise_cfg.lr_mult": {"backbone": 0.1, "backbone.amm_stage.gates": 1.0, "head": 1.0},
        },
    ),
    "C2AM + CRF": dict(config="c2am_lite0_birds50", cam_method=dict(type="CRFMaps", of=both_sides)),
    # Frozen features.
    "TriLite": dict(config="trilite_lite0_birds50", options=head),
    "PC1": "pc1_lite0_birds50",
    "TokenCut": "tokencut_lite0_birds50",
    "LOST": "lost_lite0_birds50",
    # A pipeline, with budgets of its own: CAM's maps teach a decoder.
    "F-CAM": dict(pipeline="fcam_lite0_birds50", result="test"),
    # With boxes.
    "FSL": dict(config="fsl_lite0_birds50", budget=dict(epochs=19)),  # 200 images: as many steps
}
data = {"birds50": dict(root="{{$WSOLKIT_DATA:data}}/birds50")}
seeds = [0, 1, 2]
budget = dict(epochs=3)
baseline = "CAM"
