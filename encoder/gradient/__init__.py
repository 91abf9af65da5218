"""The joint fit of all Gaussians by gradient descent in PyTorch (extra `torch`)."""
