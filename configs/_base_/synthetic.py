# SyntheticParts: scenes drawn on the fly; the body is shared by all classes, a small part tells them apart.

train_pipeline = [dict(type="RandomHorizontalFlip")]
test_pipeline = []

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="SyntheticParts",
        split="train",
        num_images=1200,
        num_classes=6,
        image_size=96,
        seed=1,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="SyntheticParts",
        split="val",
        num_images=200,
        num_classes=6,
        image_size=96,
        seed=1,
        pipeline=test_pipeline,
        load_targets=True,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="SyntheticParts",
        split="test",
        num_images=300,
        num_classes=6,
        image_size=96,
        seed=1,
        pipeline=test_pipeline,
        load_targets=True,
        test_mode=True,
    ),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = val_evaluator
