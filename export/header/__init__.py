"""The decoder as one header."""
