"""The published results: measured by one command, kept as data, rendered as a page, quoted in documents.

python -m audio_gs.bench.publish CLIPS -o docs/results
"""
