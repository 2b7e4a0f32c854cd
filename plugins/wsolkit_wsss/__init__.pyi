from .background_cues import BackgroundCues as BackgroundCues
from .pseudo_masks import PseudoMasks as PseudoMasks
from .saliency_cues import SaliencyCues as SaliencyCues
from .saliency_maps import SaliencyMaps as SaliencyMaps
from .saliency_network import SaliencyNetwork as SaliencyNetwork
from .score_masks import ScoreMasks as ScoreMasks
