"""Folders of a hundred thousand clips: encoded on one machine or many, resumable, with a table of results."""
