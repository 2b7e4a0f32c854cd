# SyntheticParts: scenes drawn on the fly; the body is shared by all classes, a small part tells them apart.
scenes = dict(type="SyntheticParts", num_classes=6, image_size=96, object_size=(0.35, 0.65), seed=1)

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(split="train", num_images=1200, pipeline=[dict(type="RandomHorizontalFlip")], **scenes),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        split="val",
        num_images=200,
        load_targets=True,
        test_mode=True,
        pipeline=[dict(type="Resize", size=(96, 96))],
        **scenes,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        split="test",
        num_images=300,
        load_targets=True,
        test_mode=True,
        pipeline=[dict(type="Resize", size=(96, 96))],
        **scenes,
    ),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = val_evaluator
