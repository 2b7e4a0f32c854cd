"""Map modifiers: what changes maps or features on their way, and how they are put into a model."""
