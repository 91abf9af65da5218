"""The codec: stream to samples and back, in integers, as docs/SPEC.md has it. Knows nothing of the encoder."""
