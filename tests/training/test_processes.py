"""Several processes average their gradients, and notice when one of them is gone."""

import os

import pytest
import torch
import torch.distributed as dist
from torch import nn

from wsolkit.errors import WsolkitError
from wsolkit.training.processes import OrderedDataParallel, process_group

WORLD = 3


def net():
    """A net with parameters that torch puts into other places of its buckets after a step."""
    torch.manual_seed(0)
    return nn.Sequential(*[nn.Linear(31, 31) for _ in range(4)])


def gradients(model, rank):
    """The gradients of a process's own images."""
    model.zero_grad()
    images = torch.randn(8, 31, generator=torch.Generator().manual_seed(rank))
    model(images).pow(2).mean().backward()
    return [parameter.grad.clone() for parameter in model.parameters()]


def average_twice(rank, folder):
    """Save the averages of two steps over the same images."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=WORLD)
    model = OrderedDataParallel(module=net(), device_ids=None)
    torch.save([gradients(model, rank) for _ in range(2)], f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
def test_three_processes_round_alike_before_and_after_torch_lays_out_its_buckets_anew(processes, tmp_path):
    """A resumed training begins with the first layout where one that was not is at the second."""
    started = [processes.Process(target=average_twice, args=(rank, tmp_path)) for rank in range(WORLD)]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        assert process.exitcode == 0
    alone = zip(*[gradients(net(), rank) for rank in range(WORLD)], strict=True)
    wanted = [(one / WORLD + two / WORLD) + three / WORLD for one, two, three in alone]
    for rank in range(WORLD):
        first, second = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for found, again, value in zip(first, second, wanted, strict=True):
            assert torch.equal(found, value)
            assert torch.equal(again, value)


def test_a_lost_process_is_told_in_words(monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0",
                                        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"})  # fmt: skip
    monkeypatch.setattr(dist, "init_process_group", lambda _: None)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(dist, "get_rank", lambda: 0)
    words = r"Process 0 lost the connection .* --resume .*\(\[pair.cc\] Connection closed"
    with pytest.raises(WsolkitError, match=words), process_group("pytorch"):
        raise RuntimeError("[pair.cc] Connection closed by peer [127.0.0.1]\n more")
    with pytest.raises(RuntimeError, match="out of memory"), process_group("pytorch"):
        raise RuntimeError("out of memory")
