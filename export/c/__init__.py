"""Clips as C arrays with an index."""
