from .combined_maps import CombinedMaps as CombinedMaps, rank_weights as rank_weights, ranks as ranks
from .non_local import NonLocal as NonLocal
