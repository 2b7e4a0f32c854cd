"""A training of CSoA that breaks and is resumed ends as one that did not."""

import pytest
import torch
from mmengine.config import Config

from wsolkit.training.train import train
from wsolkit_csoa import CoAug


def configuration(**train_cfg):
    loader = dict(num_workers=0, collate_fn=dict(type="collate_samples"))
    scenes = dict(type="SyntheticParts", num_images=12, num_classes=3, image_size=32)
    return Config(
        dict(
            default_scope="wsolkit",
            model=dict(
                type="Localizer",
                backbone=dict(type="TimmBackbone", name="resnet10t", levels=["layer3", "layer4"]),
                head=dict(type="TwoBranchHead", num_classes=3, hidden=8),
                losses=[
                    dict(type="CrossEntropy"),
                    dict(type="ConfSeg"),
                    dict(
                        type="CoAug",
                        embedding=dict(type="TimmBackbone", name="resnet10t", levels=["layer4"]),
                        embedding_size=24,
                        pool="average",
                    ),
                ],
                cam_method=dict(type="BranchUnion"),
                precision="fp32",
            ),
            train_dataloader=dict(
                batch_size=4,
                sampler=dict(type="DefaultSampler", shuffle=True),
                batch_sampler=dict(type="ClassBalancedBatchSampler", classes=2, images=2),
                dataset=scenes,
                **loader,
            ),
            optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9)),
            train_cfg=train_cfg,
            default_hooks=dict(checkpoint=dict(type="Checkpoints", every_iterations=2), progress_bar=None),
            randomness=dict(seed=2),
        )
    )


def state_after(folder, resume=False, **train_cfg):
    done = train(configuration(**train_cfg), folder, resume=resume)
    return torch.load(done.last, weights_only=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The embedding network")
@pytest.mark.parametrize(
    ("train_cfg", "done"),
    [(dict(by_epoch=True, max_epochs=2), 3), (dict(by_epoch=False, max_iters=5), 4)],
    ids=["between epochs", "inside an epoch"],
)
def test_a_training_and_a_resumed_one_end_alike(train_cfg, done, tmp_path):
    straight = state_after(tmp_path / "straight", **train_cfg)
    names = set(straight["state_dict"])
    assert not any("co_aug" in name for name in names)
    assert straight["meta"]["iter"] == (6 if train_cfg["by_epoch"] else 5)
    broken = train_until(tmp_path / "broken", train_cfg, done)
    assert broken["meta"]["iter"] == done
    resumed = state_after(tmp_path / "broken", resume=True, **train_cfg)
    for name in names:
        assert torch.equal(straight["state_dict"][name].nan_to_num(7), resumed["state_dict"][name].nan_to_num(7)), name


def train_until(folder, train_cfg, iterations):
    """Train until something breaks after so many iterations, and return the last checkpoint."""
    config = configuration(**train_cfg)
    forward, calls = CoAug.forward, []

    def broken(self, activation, batch):
        calls.append(None)
        if len(calls) > iterations:
            raise RuntimeError("the break")
        return forward(self, activation, batch)

    CoAug.forward = broken
    try:
        with pytest.raises(RuntimeError, match="the break"):
            train(config, folder)
    finally:
        CoAug.forward = forward
    return torch.load(folder / "last.pth", weights_only=True)
