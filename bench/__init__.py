"""Measures what the codec does on folders of clips."""
