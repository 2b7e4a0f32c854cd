"""Box extractors of the core."""

from wsolkit.boxes.components import AllComponents, LargestComponent, components, largest_box, largest_contour

__all__ = ["AllComponents", "LargestComponent", "components", "largest_box", "largest_contour"]
