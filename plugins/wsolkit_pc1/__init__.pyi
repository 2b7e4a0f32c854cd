from .first_component import PC1 as PC1, first_component as first_component
