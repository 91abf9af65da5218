"""One HTML file that shows a run of the bench: figures, curves, and players to listen with."""

from .build import build_page as build_page
