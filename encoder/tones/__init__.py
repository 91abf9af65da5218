"""Analysis of tones: matching pursuit on the lattice with the quantiser in the loop."""
