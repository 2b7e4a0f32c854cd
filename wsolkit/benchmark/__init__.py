"""``wsolkit benchmark``: methods x backbones x data sets x seeds, run by one command and resumed where it stopped."""
