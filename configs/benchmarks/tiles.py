"""Methods on photographs of surfaces, some of which show a defect, with EfficientNet-Lite0 from the installed weights.

    WSOLKIT_DATA=... wsolkit benchmark tiles --out results/tiles --jobs 2

Images of 384 pixels, mirrored at random, ten epochs; heads on frozen features have as many.
"""

tail = {"feature_cache": dict(level="blocks.5", evaluate=True)}
pixels = {"feature_cache": dict(level="blocks.5")}
head = {"feature_cache": dict(evaluate=True)}
cam = "cam_lite0_tiles"

methods = {
    "CAM": dict(config=cam, options=tail),
    # What CAM's network has learnt, with other maps.
    **{
        f"Grad-CAM at {place}": dict(config=cam, options=pixels, cam_method=dict(type="GradCAM", at=place))
        for place in ("blocks.2", "blocks.3", "blocks.4", "blocks.5")
    },
    "Grad-CAM, 4 levels": dict(
        config=cam, options=pixels, cam_method=dict(type="GradCAM", at=["blocks.2", "blocks.4", "blocks.6", "final"])
    ),
    "LayerCAM, 4 levels": dict(
        config=cam, options=pixels, cam_method=dict(type="LayerCAM", at=["blocks.2", "blocks.4", "blocks.6", "final"])
    ),
    # Frozen features.
    "C2AM": dict(
        config=cam,
        options={
            **head,
            "model.backbone.levels": ["blocks.4", "blocks.6"],
            "model.freeze": ["model"],
            "model.head": dict(type="C2AMHead", levels=["blocks.6", "blocks.4"]),
            "model.losses": [dict(type="C2AMLoss", alpha=0.05, batch_size=32)],
            "train_dataloader.drop_last": True,
            "optim_wrapper.optimizer.lr": 1e-3,
            "optim_wrapper.paramwise_cfg.lr_mult.head": 1.0,
        },
    ),
    "TriLite": dict(config="trilite_lite0_tiles", options=head),
    "Parts": dict(
        config="trilite_lite0_tiles",
        options={
            **head,
            "model.head": dict(type="PartsHead", pooling=dict(type="TopCellsPooling", share=0.05)),
            "model.losses": [
                dict(type="CrossEntropyOrNothing"),
                dict(type="CrossEntropyOrNothing", logits="map_logits", name="maps"),
            ],
            "optim_wrapper.optimizer.lr": 0.1,
            "optim_wrapper.optimizer.weight_decay": 0.1,
        },
    ),
    "PC1": dict(
        config=cam,
        options={"model.head": dict(type="FeatureHead"), "model.losses": [], "model.freeze": ["model"]},
        cam_method="PC1",
    ),
}
data = {"tiles": dict(root="{{$WSOLKIT_DATA:data}}/tiles")}
seeds = [0, 1, 2]
budget = dict(epochs=10)
baseline = "CAM"
