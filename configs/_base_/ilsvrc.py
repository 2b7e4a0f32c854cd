# ILSVRC in the wsolevaluation layout: train-weaksup, train-fullsup (ImageNetV2) as val, ILSVRC val as test.
# Its folder: --cfg-options data_root=..., or the environment variable WSOLKIT_DATA for the folder above it.
_base_ = ["./warp224.py"]

data_root = "{{$WSOLKIT_DATA:data}}/ILSVRC"

train_dataloader = dict(batch_size=64, dataset=dict(type="WsolMetadata", on_corrupt="skip"))
val_dataloader = dict(dataset=dict(type="WsolMetadata"))
test_dataloader = dict(dataset=dict(type="WsolMetadata"))
