"""Projects that play clips, for five targets."""
