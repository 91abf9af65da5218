"""The fixed tables of the codec as files."""
