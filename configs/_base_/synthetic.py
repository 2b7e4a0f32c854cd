# SyntheticParts: scenes drawn on the fly; the body is shared by all classes, a small part tells them apart.
_base_ = ["./loaders.py"]

scenes = dict(type="SyntheticParts", num_classes=6, image_size=96, object_size=(0.35, 0.65), seed=1)
train_dataloader = dict(dataset=dict(num_images=1200, pipeline=[dict(type="RandomHorizontalFlip")], **scenes))
val_dataloader = dict(dataset=dict(num_images=200, pipeline=[dict(type="Resize", size=(96, 96))], **scenes))
test_dataloader = dict(dataset=dict(num_images=300, pipeline=[dict(type="Resize", size=(96, 96))], **scenes))
