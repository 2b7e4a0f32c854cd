from .masked_scores import ScoreCAM as ScoreCAM, channel_weights as channel_weights, masks_of as masks_of
