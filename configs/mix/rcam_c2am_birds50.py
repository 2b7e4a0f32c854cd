"""RCAM's threshold for each image on the maps of C2AM: MobileNetV2 on birds50, trained as C2AM is.

    wsolkit train rcam_c2am_birds50 --cfg-options data_root=... weights=...

The box changes nothing in training: `wsolkit test` of a trained C2AM with this configuration gives the same as training
this one. The weights are a local file, or the environment variable WSOLKIT_WEIGHTS.
"""

_base_ = ["../c2am_mobilenetv2_birds50.py"]

model = dict(box_extractor=dict(_delete_=True, type="TwoStageBox"))
