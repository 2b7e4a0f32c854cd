from .box_acc_metric import BoxAccMetric as BoxAccMetric
from .box_crop import RandomResizedBBoxCrop as RandomResizedBBoxCrop
from .combine import CombineBoxes as CombineBoxes
from .ddt_maps import DDTMaps as DDTMaps
from .pseudo_boxes import PseudoBoxes as PseudoBoxes
from .regressor import BoxRegressor as BoxRegressor
