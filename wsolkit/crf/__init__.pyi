from .dense import (
    BilateralKernel as BilateralKernel,
    GaussianKernel as GaussianKernel,
    crf_label_energy as crf_label_energy,
    crf_probability_energy as crf_probability_energy,
    dense_crf as dense_crf,
)
