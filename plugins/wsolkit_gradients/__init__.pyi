from .finer_cam import FinerCAM as FinerCAM, similar_classes as similar_classes
from .formulas import (
    grad_cam as grad_cam,
    grad_cam_plus_plus as grad_cam_plus_plus,
    layer_cam as layer_cam,
    smooth_grad_cam_plus_plus as smooth_grad_cam_plus_plus,
    x_grad_cam as x_grad_cam,
)
from .input_gradient import InputGradient as InputGradient
from .smooth_grad_cam import SmoothGradCAMPlusPlus as SmoothGradCAMPlusPlus
from .weighed_cells import LayerCAM as LayerCAM, scaled_by_tanh as scaled_by_tanh
from .weighed_channels import GradCAM as GradCAM, GradCAMPlusPlus as GradCAMPlusPlus, XGradCAM as XGradCAM
