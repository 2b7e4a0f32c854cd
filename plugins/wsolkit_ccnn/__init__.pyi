from .amm import AMM as AMM, gaussian_gate as gaussian_gate
from .backbone import CCNNBackbone as CCNNBackbone
from .report_keys import report_keys as report_keys
