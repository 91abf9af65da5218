"""The commands gs-encode, gs-decode, gs-info and gs-verify."""
