"""The decoder as a WebAssembly module, with scripts around it and a page."""
