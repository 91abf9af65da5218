// The states that an edited clip had, for undo and redo.

const MOST_KEPT_BYTES = 32 * 1024 * 1024; // of streams
const BYTES_A_GAUSSIAN = 8; // that a state keeps beside its stream

class History {
  constructor(first) {
    this.states = [first];
    this.at = 0;
  }

  get current() {
    return this.states[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  add(state) {
    this.states.splice(this.at + 1, Infinity, state);
    const sizeOf = ({ bytes, gaussians }) => bytes.length + BYTES_A_GAUSSIAN * gaussians.length;
    let kept = this.states.reduce((sum, one) => sum + sizeOf(one), 0);
    while (this.states.length > 2 && kept > MOST_KEPT_BYTES) kept -= sizeOf(this.states.shift());
    this.at = this.states.length - 1;
  }

  undo() {
    this.at = Math.max(0, this.at - 1);
    return this.current;
  }

  redo() {
    this.at = Math.min(this.states.length - 1, this.at + 1);
    return this.current;
  }
}
