# Loaders of the three splits, and what is measured on val and test. Data files add the data sets.
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(split="train"),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(split="val", load_targets=True, test_mode=True),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(split="test", load_targets=True, test_mode=True),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = val_evaluator
