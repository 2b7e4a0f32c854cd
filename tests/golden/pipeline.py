# Golden numbers: a training that changes nothing, a test of its checkpoint, and the score maps of a split.
data_root = "nowhere"
single_label = "nowhere"
net = dict(config="{net}/config.py", checkpoint="{net}/last.pth", device="cpu")

stages = [
    dict(name="net", type="Train", config=single_label, options={"data_root": data_root}),
    dict(name="test", type="Test", **net),
    dict(name="maps", type="Maps", split="test", **net),
    dict(name="maps_all", type="Maps", split="val", which="all", **net),
    dict(name="maps_predicted", type="Maps", split="val", which="predicted", **net),
]
