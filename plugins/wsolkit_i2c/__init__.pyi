from .consistency import (
    ObjectConsistency as ObjectConsistency,
    draw_partners as draw_partners,
    draw_seeds as draw_seeds,
)
