"""Control of the encoder: rate, quality, preset, sample rate, and what each kind gets."""
