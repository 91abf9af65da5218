"""The residual layer of a clip: coefficients and fine levels that are coded beside tones and noise."""
