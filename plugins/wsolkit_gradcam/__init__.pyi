from .logits import Logits as Logits, library as library, map_transform as map_transform
from .pytorch_grad_cam import PytorchGradCAM as PytorchGradCAM
from .torch_cam import TorchCAM as TorchCAM
