import gc

import torch

from tests.support.micro_fixtures import micro_config, processes  # noqa: F401 - fixtures

torch.set_num_threads(1)
gc.freeze()  # mmengine collects garbage for every data set; what is imported by now is none
