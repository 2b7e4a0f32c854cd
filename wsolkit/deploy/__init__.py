"""A trained model as one file that other programs run: ONNX or TorchScript, checked against PyTorch."""
