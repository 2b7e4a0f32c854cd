# birds50: classes 001-050 of CUB-200-2011 in the wsolevaluation layout; boxes on val and test only.
# Its folder: --cfg-options data_root=..., or the environment variable WSOLKIT_DATA for the folder above it.
# As wsolevaluation: images warped to 256 x 256 with a random crop of 224 for training, to 224 x 224 for evaluation.

data_root = "{{$WSOLKIT_DATA:data}}/birds50"

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="WsolMetadata",
        split="train",
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
        type="WsolMetadata",
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
        type="WsolMetadata",
        split="test",
        load_targets=True,
        test_mode=True,
        pipeline=[dict(type="Resize", size=(224, 224), antialias=True)],
    ),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = val_evaluator
