from .attention_dropout import (
    ADL as ADL,
    drop_mask as drop_mask,
    importance_map as importance_map,
)
