"""FSL (Choe et al. 2020) with ResNet-50 on CUB-200-2011: trained with boxes.

    wsolkit train fsl_resnet50_cub --cfg-options data_root=...

5 images of each class are left out of train for val. 4 of each are trained on, with their boxes; epochs and thresholds
are chosen on the fifth (200 images). The 800 images are seen 312 times, as many steps as 50 epochs of the 4,994 of
train are. The paper takes the 5 images of each class of CUBV2.
"""

_base_ = ["./cam_resnet50_cub.py"]

val = dict(type="CUB200", split="val", val_per_class=5)

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
        pipeline=[dict(type="ResizedRandomCrop", size=256, crop=224), dict(type="RandomHorizontalFlip")],
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
        pipeline=[dict(type="Resize", size=(224, 224), antialias=True)],
    )
)
train_cfg = dict(max_epochs=312, val_interval=6)
