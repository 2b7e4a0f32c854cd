from .coco import (
    Instances as Instances,
    bbox_of as bbox_of,
    coco_box as coco_box,
    coco_image as coco_image,
    corners as corners,
    read_instances as read_instances,
    write_instances as write_instances,
)
from .coco_outlines import (
    run_lengths as run_lengths,
)
from .found_boxes import (
    FoundBox as FoundBox,
    ImageResult as ImageResult,
)
from .masks import (
    read_binary_mask as read_binary_mask,
    read_gray as read_gray,
    read_index_mask as read_index_mask,
    voc_palette as voc_palette,
    write_gray as write_gray,
    write_index_mask as write_index_mask,
)
from .score_maps import (
    CLASS_AGNOSTIC as CLASS_AGNOSTIC,
    ImageMaps as ImageMaps,
    ScoreMaps as ScoreMaps,
    image_maps_file as image_maps_file,
    open_score_maps as open_score_maps,
    write_image_maps as write_image_maps,
    write_map_classes as write_map_classes,
    write_score_maps as write_score_maps,
)
