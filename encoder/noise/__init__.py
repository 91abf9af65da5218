"""Analysis of noise: what the tones leave out, as levels on a plane and as noise Gaussians."""
