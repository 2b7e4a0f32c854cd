# Images warped to 256 x 256 with a random crop of 224 for training, to 224 x 224 for evaluation (as wsolevaluation).
_base_ = ["./loaders.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="ResizedRandomCrop", size=256, crop=224),
            dict(type="RandomHorizontalFlip"),
        ]
    )
)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(224, 224), antialias=True)]))
test_dataloader = val_dataloader
