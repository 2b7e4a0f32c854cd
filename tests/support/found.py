"""Results of prediction for tests of what is written: any image size, any boxes inside."""

from hypothesis import strategies as st

from wsolkit.formats.found_boxes import FoundBox, ImageResult

NAMES = st.lists(st.text("ab é'&<\"", min_size=1, max_size=3).map(str.strip).filter(bool), min_size=1, max_size=3)


@st.composite
def results(draw, classes, whole=False, least_boxes=0):
    """Draw the result of an image; where ``whole`` is set, boxes end at whole pixels."""
    size = (draw(st.integers(1, 5000)), draw(st.integers(1, 5000)))
    sides = []
    for length in size:
        numbers = st.integers(0, length) if whole else st.floats(0, length, width=32)
        low, high = sorted((draw(numbers), draw(numbers)))
        if high - low < (1 if whole else 0.05):
            low, high = 0, length
        sides.append((float(low), float(high)))
    (x0, x1), (y0, y1) = sides
    boxes = []
    for _ in range(draw(st.integers(least_boxes, 2))):
        index = draw(st.integers(0, len(classes) - 1))
        scores = (draw(st.floats(0, 1)), draw(st.floats(0, 1)))
        boxes.append(FoundBox((x0, y0, x1, y1), index, classes[index], *scores))
    return ImageResult("/".join(draw(NAMES)) + ".jpg", "", size, boxes)
