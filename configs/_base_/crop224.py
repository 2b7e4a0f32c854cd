# Random crops of 224 x 224 with at least half of the image for training, images warped to 224 x 224 for evaluation.
_base_ = ["./loaders.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomResizedCrop", size=224, scale=(0.5, 1.0), ratio=(0.75, 1.333), antialias=True),
            dict(type="RandomHorizontalFlip"),
        ]
    )
)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(224, 224), antialias=True)]))
test_dataloader = val_dataloader
