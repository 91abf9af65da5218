"""A decoder in plain Python, written from docs/SPEC.md alone and in its order: a module a chapter, a formula a line.

It shares no code and no table with the other decoders, so that it shows whether SPEC says all that a decoder needs.
It is made to be read, not to be fast: a second of sound takes it a second or more.
"""
