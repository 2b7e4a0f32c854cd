"""Files of weights: found, read safely, fitted into a network."""
