# Golden numbers: the model of tests.golden.drawn on single-label data in the layout of wsolevaluation.
custom_imports = dict(imports=["tests.golden.drawn"])

data_root = "nowhere"
resize = [dict(type="Resize", size=(32, 32), interpolation=0, antialias=False)]

model = dict(
    type="Localizer",
    backbone=dict(type="PlanesBackbone"),
    head=dict(type="SumHead"),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="PlaneMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.3),
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0, 0, 0), std=(1, 1, 1)),
    precision="fp32",
)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(type="WsolMetadata", split="train", pipeline=resize),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(type="WsolMetadata", split="val", load_targets=True, test_mode=True, pipeline=resize),
)
test_dataloader = dict(
    batch_size=7,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(type="WsolMetadata", split="test", load_targets=True, test_mode=True, pipeline=resize),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = dict(type="LocalizationMetric")
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
val_cfg = {}
test_cfg = {}
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1))
randomness = dict(seed=3)
