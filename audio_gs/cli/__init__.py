"""The commands gs-encode, gs-decode, gs-play, gs-info and gs-verify."""
