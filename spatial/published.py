"""Figures that others have published, to stand beside one's own: they are of other recordings, so nothing is better or
worse for being on the other side of them."""

from __future__ import annotations

REPLAY_NVAS = {
    "mono": (6.057, 0.260, 8.301, 0.047),
    "AV-NeRF": (3.412, 0.201, 4.777, 0.068),
    "ViGAS": (1.754, 0.185, 11.293, 0.054),
    "Audio 3DGS": (1.118, 0.150, 5.071, 0.037),
}
"""MAG, ENV, LRE in dB and RTE in seconds, from "Extending Gaussian Splatting to Audio: Optimizing Audio Points for
Novel-view Acoustic Synthesis"."""
