from .graph_cut import (
    foreground_of as foreground_of,
    second_eigenvector as second_eigenvector,
    similarity_graph as similarity_graph,
)
from .token_cut_maps import TokenCutMaps as TokenCutMaps, token_cut as token_cut
