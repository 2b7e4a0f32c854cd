"""Training: mmengine's runner with exact resume, atomic checkpoints and several processes."""
