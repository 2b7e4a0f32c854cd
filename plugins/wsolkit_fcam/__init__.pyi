from .area import (
    BothPresent as BothPresent,
    log_barrier as log_barrier,
)
from .colours import (
    ColourAffinity as ColourAffinity,
    affinities as affinities,
    pairwise_energy as pairwise_energy,
)
from .decoder import (
    PIXEL_LOGITS as PIXEL_LOGITS,
    PixelDecoder as PixelDecoder,
)
from .seeds import (
    PixelSeeds as PixelSeeds,
    draw_seeds as draw_seeds,
)
