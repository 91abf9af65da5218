"""Clips, the decoder and its tables in the forms that build systems and runtimes take: the command gs-export."""
