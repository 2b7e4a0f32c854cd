"""Three steps of C2AM with 16 images: on one process, or 8 each on the two that torchrun started."""

import os
import sys

import torch
import torch.distributed as dist
from mmengine.dist import get_rank
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from wsolkit import Backbone, Batch
from wsolkit_c2am import C2AMHead, C2AMLoss


class Convolution(Backbone):
    """One convolution; batch statistics are the head's alone."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.channels, self.strides = {"a": 6}, {"a": 2}

    def forward(self, images):
        return {"a": self.conv(images).relu()}


class Model(nn.Module):
    """Backbone, head and loss."""

    def __init__(self):
        super().__init__()
        self.backbone = Convolution()
        self.head = C2AMHead(self.backbone.channels, freeze_bn_affine=False)
        self.loss = C2AMLoss(alpha=0.5)

    def forward(self, images):
        return sum(self.loss(self.head(self.backbone(images)), Batch(images)).values())


def main(out):
    torch.manual_seed(0)
    model = Model().train()
    images = torch.randn(3, 16, 3, 20, 20)
    several = "RANK" in os.environ
    if several:
        dist.init_process_group("gloo")
        run, part = DistributedDataParallel(model), slice(8 * get_rank(), 8 * get_rank() + 8)
    else:
        run, part = model, slice(None)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    found = {}
    for step in range(3):
        loss = run(images[step, part])
        optimizer.zero_grad()
        loss.backward()
        found[f"loss.{step}"] = loss.detach()
        if step == 2:
            found |= {f"gradient.{name}": parameter.grad.clone() for name, parameter in model.named_parameters()}
        optimizer.step()
    found |= {f"state.{name}": value for name, value in model.state_dict().items()}
    if get_rank() == 0:
        torch.save(found, out)
    if several:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
