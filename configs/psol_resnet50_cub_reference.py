"""psol_resnet50_cub evaluated as the authors of PSOL do: images warped to 256 x 256, the middle 224 x 224 cut out.

    wsolkit train psol_resnet50_cub_reference --cfg-options train_dataloader.dataset.annotations=boxes.json

True boxes are cut with the image. The authors print the mean over classes: psol_reference/BoxAcc@50_macro.
"""

_base_ = ["psol_resnet50_cub.py"]

cropped = [dict(type="Resize", size=(256, 256), antialias=True), dict(type="CenterCrop", size=224)]
val_dataloader = dict(dataset=dict(pipeline=cropped, transform_targets=True))
test_dataloader = val_dataloader
val_evaluator = dict(psol_reference=True)
test_evaluator = val_evaluator
