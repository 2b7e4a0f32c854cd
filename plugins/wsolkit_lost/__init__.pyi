from .lost_maps import LOSTMaps as LOSTMaps
from .seed_growing import degrees_of as degrees_of, grow as grow, lost as lost
