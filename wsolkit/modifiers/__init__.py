"""Map modifiers: what changes maps or features on their way, and how they are put into a model."""

from wsolkit.modifiers.attach import AttachedModifier, attach_modifier, attach_modifiers, find_module

__all__ = ["AttachedModifier", "attach_modifier", "attach_modifiers", "find_module"]
