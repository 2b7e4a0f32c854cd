"""Features of a frozen backbone that are computed once and serve training, prediction and everything else."""
