from .cut_mix import (
    CutMix as CutMix,
    cut_box as cut_box,
    mix_labels as mix_labels,
    paste as paste,
)
