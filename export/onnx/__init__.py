"""Clips and decoder as ONNX graphs (extra `export`)."""
