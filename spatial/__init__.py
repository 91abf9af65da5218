"""Scenes: what a listener hears at a new place, learned from a recording near a source and binaural recordings at known
poses, without pictures: the command gs-scene."""
