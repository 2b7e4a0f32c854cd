# Golden numbers: the same model on multi-label data with boxes and masks in the layout of COCO.
_base_ = ["./single_label.py"]

model = dict(losses=[dict(type="BinaryCrossEntropy")])
train_dataloader = dict(dataset=dict(type="COCO"))
val_dataloader = dict(dataset=dict(type="COCO"))
test_dataloader = dict(dataset=dict(type="COCO"))
