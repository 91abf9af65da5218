"""The report of a bank."""
