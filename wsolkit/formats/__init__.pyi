from .found_boxes import (
    FoundBox as FoundBox,
    ImageResult as ImageResult,
)
from .image_maps import (
    NO_CLASS as NO_CLASS,
    ImageMaps as ImageMaps,
    image_maps_file as image_maps_file,
    list_image_maps as list_image_maps,
    read_image_maps as read_image_maps,
    write_image_maps as write_image_maps,
)
from .masks import (
    read_binary_mask as read_binary_mask,
    read_index_mask as read_index_mask,
)
