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
    PixelDecoder as PixelDecoder,
    pixel_logits as pixel_logits,
)
from .seeds import (
    PixelSeeds as PixelSeeds,
    draw_seeds as draw_seeds,
)
