from .head import ACoLHead as ACoLHead
from .second_look import SecondLook as SecondLook
