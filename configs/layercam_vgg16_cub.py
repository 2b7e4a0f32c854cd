"""LayerCAM (Jiang et al. 2021) over the last three blocks and the extra convolution of VGG16-GAP on CUB-200-2011.

    wsolkit train layercam_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

The weights are torchvision's VGG16 in a local file.
"""

_base_ = "./cam_vgg16_cub.py"

model = dict(cam_method=dict(type="LayerCAM", at=["conv3_3", "conv4_3", "conv5_3", "conv6"]))
