// What part of the clip is seen, in seconds, and what moves it.

const SHORTEST_SEEN = 0.05; // seconds
const ZOOM_STEP = 1.5;
const ZOOM_OF_WHEEL = 0.0015; // of a pixel, or of a third of a line
const PIXELS_OF_LINE = 40;
const SCROLL_STEP = 0.2; // of what is seen

class View {
  constructor(seconds) {
    this.seconds = seconds;
    this.from = 0;
    this.to = seconds;
  }

  get span() {
    return this.to - this.from;
  }

  get isWhole() {
    return this.span >= this.seconds;
  }

  // Share of the width, 0 at the left, of a time, and back.
  shareOf(seconds) {
    return (seconds - this.from) / this.span;
  }

  timeAt(share) {
    return this.from + share * this.span;
  }

  // Makes `factor` times as much be seen; what is at a share of the width stays there.
  zoom(factor, share = 0.5) {
    const span = Math.min(this.seconds, Math.max(Math.min(SHORTEST_SEEN, this.seconds), this.span * factor));
    this.begin(this.timeAt(share) - share * span, span);
  }

  scroll(seconds) {
    this.begin(this.from + seconds, this.span);
  }

  begin(from, span) {
    this.from = Math.min(this.seconds - span, Math.max(0, from));
    this.to = this.from + span;
  }
}

// Lets wheel, fingers and keys move what is seen in an element. `view` gives the view, or null; `moved` is called after
// each change, `seek` with a time that a press or a drag without a modifier points at.
function moveByHand(stage, { view, moved, seek }) {
  const touches = new Map(); // places of fingers, as shares of the width
  let dragged = null; // time that is held by the pointer
  let isPinched = false; // by the fingers that are down, of which one may be left

  const shareAt = (event) => {
    const box = stage.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };

  stage.addEventListener(
    'wheel',
    (event) => {
      const seen = view();
      if (!seen) return;
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PIXELS_OF_LINE : 1;
      const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
      if (event.shiftKey || Math.abs(sideways) > Math.abs(event.deltaY)) {
        if (seen.isWhole) return;
        seen.scroll((sideways * unit * seen.span) / stage.clientWidth);
      } else {
        // What cannot get smaller is the page's to scroll.
        if (seen.isWhole && event.deltaY >= 0) return;
        seen.zoom(Math.exp(event.deltaY * unit * ZOOM_OF_WHEEL), shareAt(event));
      }
      event.preventDefault();
      moved();
    },
    { passive: false },
  );

  stage.addEventListener('pointerdown', (event) => {
    const seen = view();
    if (!seen || event.button > 1) return;
    stage.setPointerCapture(event.pointerId);
    if (event.pointerType === 'touch') touches.set(event.pointerId, shareAt(event));
    isPinched = touches.size > 1;
    dragged = event.shiftKey || event.button === 1 ? seen.timeAt(shareAt(event)) : null;
    if (dragged === null && !isPinched) seek(seen.timeAt(shareAt(event)));
  });

  stage.addEventListener('pointermove', (event) => {
    const seen = view();
    if (!seen || event.buttons === 0) return;
    const share = shareAt(event);
    if (touches.size === 2 && touches.has(event.pointerId)) {
      const before = [...touches.values()];
      touches.set(event.pointerId, share);
      const after = [...touches.values()];
      const apart = ([one, other]) => Math.max(0.02, Math.abs(one - other));
      const middle = ([one, other]) => (one + other) / 2;
      seen.zoom(apart(before) / apart(after), middle(before));
      seen.scroll((middle(before) - middle(after)) * seen.span);
      moved();
    } else if (dragged !== null) {
      seen.scroll(dragged - seen.timeAt(share));
      moved();
    } else if (!isPinched) {
      seek(seen.timeAt(share));
    }
  });

  for (const name of ['pointerup', 'pointercancel']) {
    stage.addEventListener(name, (event) => touches.delete(event.pointerId));
  }

  stage.addEventListener('keydown', (event) => {
    const seen = view();
    if (!seen || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === '+' || key === '=') seen.zoom(1 / ZOOM_STEP);
    else if (key === '-') seen.zoom(ZOOM_STEP);
    else if (key === '0') seen.zoom(Infinity);
    else if (event.shiftKey && key === 'ArrowLeft') seen.scroll(-SCROLL_STEP * seen.span);
    else if (event.shiftKey && key === 'ArrowRight') seen.scroll(SCROLL_STEP * seen.span);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
    moved();
  });
}
