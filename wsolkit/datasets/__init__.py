"""Data sets: one class per layout on disk, all giving the same samples and targets."""
