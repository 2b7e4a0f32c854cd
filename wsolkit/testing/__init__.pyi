from .array_contracts import (
    check_box_extractor as check_box_extractor,
    check_refiner as check_refiner,
)
from .backbone_contract import (
    check_backbone as check_backbone,
)
from .cam_contract import (
    check_cam_method as check_cam_method,
)
from .combinations import (
    check_alone as check_alone,
    try_combination as try_combination,
)
from .documentation import (
    check_documentation as check_documentation,
)
from .network_contracts import (
    check_batch_transform as check_batch_transform,
    check_head as check_head,
    check_loss as check_loss,
    check_modifier as check_modifier,
    check_pooling as check_pooling,
)
from .pairs import (
    Explored as Explored,
    Outcome as Outcome,
    explore as explore,
)
from .part_tables import (
    Part as Part,
    PartTables as PartTables,
)
from .plugin_contract import (
    check_pairs as check_pairs,
    check_plugin as check_plugin,
)
