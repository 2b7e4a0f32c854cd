"""F-CAM (Belharbi et al. 2022) on birds50: CAM, its maps, a decoder that learns from them, a test.

    wsolkit pipeline fcam_lite0_birds50

The data is where data_root says, or the environment variable WSOLKIT_DATA. No training box is read: seeds are pixels of
CAM's maps.
"""

data_root = "{{$WSOLKIT_DATA:data}}/birds50"
work_dir = "work_dirs/fcam_lite0_birds50"

stages = [
    dict(name="cam", type="Train", config="cam_lite0_birds50", options={"data_root": data_root}),
    dict(name="maps", type="Maps", split="train", config="{cam}/config.py", checkpoint="{cam}/last.pth"),
    dict(
        name="decoder",
        type="Train",
        config="fcam_decoder_lite0_birds50",
        options={"data_root": data_root, "train_dataloader.dataset.pseudo_maps": "{maps}"},
    ),
    dict(name="test", type="Test", config="{decoder}/config.py", checkpoint="{decoder}/last.pth"),
]
