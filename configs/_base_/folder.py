# Your own photographs: a folder with one folder per class. Without train/val/test folders above the classes, a tenth of
# each class is held out for val and a tenth for test, always the same images. Boxes are optional:
#   --cfg-options val_dataloader.dataset.boxes=boxes.json test_dataloader.dataset.boxes=boxes.json
# Set the folder with --cfg-options data_root=...
_base_ = ["./warp224.py"]

data_root = "data/photos"

train_dataloader = dict(dataset=dict(type="ImageFolder", on_corrupt="skip"))
val_dataloader = dict(dataset=dict(type="ImageFolder"))
test_dataloader = dict(dataset=dict(type="ImageFolder"))
