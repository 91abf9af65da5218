// Clips read to Gaussians, edited, and written to streams again, in browsers and node.

import { AudioGsError } from './audio-gs.mjs';

