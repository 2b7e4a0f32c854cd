"""CSoA with MobileNetV2 on birds50, from ImageNet weights: both modules on the schedule of CAM.

    wsolkit train csoa_mobilenetv2_birds50 --cfg-options data_root=... weights=... \
        model.losses.2.embedding.weights=...

The weights are a local file, the same for both networks, or the environment variable WSOLKIT_WEIGHTS, which reaches
both. Classifiers after stage 4 (of 6) and at the end, 14 x 14 cells each, with 128 hidden channels instead of 1024 to
suit a processor. Images are embedded by the same MobileNetV2 at 112 pixels instead of AlexNet. The learning rate is a
fifth of CAM's: at .05 classifiers of three layers diverge here (on fixed features of the training images the cross
entropy falls to .8 in four epochs at .01, and stays at 4 at .05). CoAug counts a tenth: the paper gives no weight, and
at 1 its terms of about 3 keep the network from learning the classes.
csoa_confseg_mobilenetv2_birds50 and csoa_coaug_mobilenetv2_birds50 leave one module out,
csoa_baseline_mobilenetv2_birds50 both.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"
coaug = dict(
    type="CoAug",
    weight=0.1,
    embedding=dict(
        type="TimmBackbone",
        name="mobilenetv2_100",
        pad_type="same",
        levels=["final"],
        weights="{{$WSOLKIT_WEIGHTS:none}}",
    ),
    embedding_size=112,
    pool="average",
)

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(
        type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["blocks.4", "final"], output_stride=16
    ),
    head=dict(type="TwoBranchHead", levels=["blocks.4", "final"], hidden=128),
    losses=[dict(type="CrossEntropy"), dict(type="ConfSeg"), coaug],
    cam_method=dict(type="BranchUnion"),
    box_extractor=dict(type="LargestComponent", threshold=0.3),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
train_dataloader = dict(batch_size=32, batch_sampler=dict(type="ClassBalancedBatchSampler", classes=8, images=4))
optim_wrapper = dict(optimizer=dict(lr=0.01), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
train_cfg = dict(max_epochs=6)
