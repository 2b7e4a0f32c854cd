"""FSL (Choe et al. 2020) with EfficientNet-Lite0 on birds50: trained with boxes, beside cam_lite0_birds50.

    wsolkit train fsl_lite0_birds50 --cfg-options data_root=...

val has 5 images of each class. 4 of each are trained on, with their boxes; epochs and thresholds are chosen on the
fifth (50 images). The 200 images are seen 37 times, as many steps as 6 epochs of the 1,250 of train are.
"""

_base_ = ["./cam_lite0_birds50.py"]

squashed = [dict(type="Resize", size=(224, 224), antialias=True)]
val = dict(type="WsolMetadata", split="val")

model = dict(
    type="FewShotLocalizer",
    head=dict(_delete_=True, type="ForegroundHead"),
    losses=[dict(type="BoxPixelLoss")],
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="BoxedShots",
        dataset=val,
        shots=4,
        part="train",
        pipeline=[*squashed, dict(type="RandomHorizontalFlip")],
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="BoxedShots",
        dataset=val,
        shots=4,
        part="rest",
        load_targets=True,
        test_mode=True,
        pipeline=squashed,
    )
)
train_cfg = dict(max_epochs=37, val_interval=37)
