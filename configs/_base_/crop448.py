# Images warped to 512 x 512 with a random crop of 448 for training, to 448 x 448 for evaluation (as C2AM on VOC).
_base_ = ["./loaders.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="ResizedRandomCrop", size=512, crop=448),
            dict(type="RandomHorizontalFlip"),
        ]
    )
)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
test_dataloader = val_dataloader
