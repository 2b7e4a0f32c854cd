import torch

from tests.support.colours import photos, trained  # noqa: F401 - fixtures

torch.set_num_threads(1)
