"""Sound banks: a folder of recordings encoded so that all fit into a product's flash and the worst sounds as good as it
can: the command gs-bank."""
