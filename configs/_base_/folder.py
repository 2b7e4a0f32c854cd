# Your own photographs: a folder with one folder per class. Without train/val/test folders above the classes, a tenth of
# each class is held out for val and a tenth for test, always the same images. Boxes are optional:
#   --cfg-options val_dataloader.dataset.boxes=boxes.json test_dataloader.dataset.boxes=boxes.json
# Set the folder with --cfg-options data_root=...
# As wsolevaluation: images warped to 256 x 256 with a random crop of 224 for training, to 224 x 224 for evaluation.

data_root = "data/photos"

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="ImageFolder",
        split="train",
        on_corrupt="skip",
        pipeline=[dict(type="ResizedRandomCrop", size=256, crop=224), dict(type="RandomHorizontalFlip")],
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="ImageFolder",
        split="val",
        load_targets=True,
        test_mode=True,
        pipeline=[dict(type="Resize", size=(224, 224), antialias=True)],
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="ImageFolder",
        split="test",
        load_targets=True,
        test_mode=True,
        pipeline=[dict(type="Resize", size=(224, 224), antialias=True)],
    ),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = val_evaluator
