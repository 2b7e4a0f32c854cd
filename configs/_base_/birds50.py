# birds50: classes 001-050 of CUB-200-2011 in the wsolevaluation layout; boxes on val and test only.
# Its folder: --cfg-options data_root=..., or the environment variable WSOLKIT_DATA for the folder above it.
_base_ = ["./warp224.py"]

data_root = "{{$WSOLKIT_DATA:data}}/birds50"

train_dataloader = dict(dataset=dict(type="WsolMetadata"))
val_dataloader = dict(dataset=dict(type="WsolMetadata"))
test_dataloader = dict(dataset=dict(type="WsolMetadata"))
