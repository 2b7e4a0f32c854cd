"""Every method on birds50 with EfficientNet-Lite0 from the weights installed with wsolkit: benchmarks/RESULTS.md.

    WSOLKIT_DATA=... wsolkit benchmark birds50 --out results/birds50

Images of 224 pixels, mirrored at random, six epochs; the last stage of the network and the head are trained, or the head
alone where a method wants frozen features. What the frozen part makes of the images is computed once.
"""

tail = {"feature_cache": dict(level="blocks.5", evaluate=True, most_gb=4.0)}
pixels = {"feature_cache": dict(level="blocks.5", most_gb=4.0)}
head = {"feature_cache": dict(evaluate=True, most_gb=4.0)}

methods = {
    "CAM": dict(config="cam_lite0_birds50", options=tail),
    "CAM + CRF": dict(config="cam_lite0_birds50", options=pixels, cam_method=dict(type="CRFMaps")),
    "HaS": dict(config="has_lite0_birds50"),
    "CutMix": dict(config="cutmix_lite0_birds50"),
    "TriLite": dict(config="trilite_lite0_birds50", options=head),
    "C2AM": dict(config="c2am_lite0_birds50", options=head),
    "C2AM + CRF": dict(
        config="c2am_lite0_birds50",
        cam_method=dict(
            type="CRFMaps", of=dict(type="MultiScaleMaps", scales=[1.0], flip=True, resize="bicubic"), share=0.8
        ),
    ),
}
data = {"birds50": dict(root="{{$WSOLKIT_DATA:data}}/birds50")}
seeds = [0, 1, 2]
budget = dict(epochs=6)
baseline = "CAM"
