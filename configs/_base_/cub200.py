# CUB-200-2011 in its official layout; 5 images per class are taken from train for validation (thresholds, epochs).
# Its folder: --cfg-options data_root=..., or the environment variable WSOLKIT_DATA for the folder above it.
_base_ = ["./warp224.py"]

data_root = "{{$WSOLKIT_DATA:data}}/CUB_200_2011"

train_dataloader = dict(dataset=dict(type="CUB200", val_per_class=5))
val_dataloader = dict(dataset=dict(type="CUB200", val_per_class=5))
test_dataloader = dict(dataset=dict(type="CUB200", val_per_class=5))
