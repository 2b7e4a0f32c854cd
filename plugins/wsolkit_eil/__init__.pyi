from .head import ErasedPasses as ErasedPasses, erase_strongest as erase_strongest
