from .background import WithoutTheClass as WithoutTheClass, minus_log_of_others as minus_log_of_others
from .head import TriLiteHead as TriLiteHead
