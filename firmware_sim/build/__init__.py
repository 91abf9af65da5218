"""Firmware images of the decoder: cores, compilers, ELF files."""
