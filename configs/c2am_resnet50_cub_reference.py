"""C2AM on CUB-200-2011 as the reference code runs it, and not as the paper says.

    wsolkit train c2am_resnet50_cub_reference --cfg-options data_root=...

The pair of an image with itself counts, the mean divides by N^2, cosines are ranked after the clamp, the optimizer has
next to no momentum and a polynomial schedule, and no batch norm is trained. The card says why. What stays as in
c2am_resnet50_cub: sizes of images and crops, the dilated last stage, the vote about the polarity, boxes and thresholds.
"""

_base_ = ["c2am_resnet50_cub.py"]

model = dict(losses=[dict(type="C2AMLoss", alpha=0.05, variant="reference", batch_size=16)])
# The reference hands its weight decay to SGD's third argument, the momentum; its parameter groups leave norms out.
optim_wrapper = dict(optimizer=dict(momentum=1e-4), paramwise_cfg=dict(freeze_kinds=["norm"]))
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, convert_to_iter_based=True)]
