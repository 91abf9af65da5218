"""python -m audio_gs.bench.publish"""

from .command import main

main()
