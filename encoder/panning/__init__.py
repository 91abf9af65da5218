"""Stereo: the direction of a clip, and what its side channel adds to the Gaussians of its mid."""
