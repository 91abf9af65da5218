"""The encoder: samples to Gaussians to a stream. Needs torch only for gradient refinement and float rendering."""

from .encode import EncodeResult, encode_audio
from .options import EncoderOptions

__all__ = ["EncodeResult", "EncoderOptions", "encode_audio"]
