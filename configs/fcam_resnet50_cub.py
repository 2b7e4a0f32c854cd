"""F-CAM (Belharbi et al. 2022) on CUB-200-2011: CAM, its maps, a decoder that learns from them, a test.

    wsolkit pipeline fcam_resnet50_cub

The data is where data_root says, or the environment variable WSOLKIT_DATA. No training box is read: seeds are pixels of
CAM's maps.
"""

data_root = "{{$WSOLKIT_DATA:data}}/CUB_200_2011"
work_dir = "work_dirs/fcam_resnet50_cub"

stages = [
    dict(name="cam", type="Train", config="cam_resnet50_cub", options={"data_root": data_root}),
    dict(name="maps", type="Maps", split="train", config="{cam}/config.py", checkpoint="{cam}/last.pth"),
    dict(
        name="decoder",
        type="Train",
        config="fcam_decoder_resnet50_cub",
        options={"data_root": data_root, "train_dataloader.dataset.pseudo_maps": "{maps}"},
    ),
    dict(name="test", type="Test", config="{decoder}/config.py", checkpoint="{decoder}/last.pth"),
]
