# PASCAL VOC 2012 in its official layout: several classes per image.
# The folder VOCdevkit/VOC2012: --cfg-options data_root=..., or WSOLKIT_DATA for the folder that holds voc/VOCdevkit.
# The labels of test are not public. Without them test on val, wsolkit test ... --split val: the threshold of boxes,
# which is chosen on val, is then chosen on the images that are scored.
# Random crops of 224 x 224 with at least half of the image for training, images warped to 224 x 224 for evaluation.

data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2012"

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="PascalVOC",
        split="train",
        pipeline=[
            dict(type="RandomResizedCrop", size=224, scale=(0.5, 1.0), ratio=(0.75, 1.333), antialias=True),
            dict(type="RandomHorizontalFlip"),
        ],
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="PascalVOC",
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
        type="PascalVOC",
        split="test",
        load_targets=True,
        test_mode=True,
        pipeline=[dict(type="Resize", size=(224, 224), antialias=True)],
    ),
)
val_evaluator = dict(type="LocalizationMetric")
test_evaluator = val_evaluator
