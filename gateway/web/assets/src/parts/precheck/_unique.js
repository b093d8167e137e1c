// Values that must be unique in the whole file: 64-bit hashes under a random key of this run, so
// that memory stays bounded and no value is kept.
const GROWTH = 1 << 16;

export class Repetitions {
  constructor() {
    [this.low, this.high] = crypto.getRandomValues(new Uint32Array(2));
    this.hashes = new Uint32Array(GROWTH * 2);
    this.rows = new Uint32Array(GROWTH);
    this.size = 0;
  }

  add(texts, row) {
    if (this.size === this.rows.length) this.grow();
    let [a, b] = [this.low, this.high];
    for (const text of texts) {
      for (let p = 0; p < text.length; p++) {
        const unit = text.charCodeAt(p);
        a = Math.imul(a ^ unit, 0x85ebca6b);
        a = (a << 13) | (a >>> 19);
        b = Math.imul(b ^ unit ^ (a >>> 16), 0xc2b2ae35);
        b = (b << 15) | (b >>> 17);
      }
      // The end of a text counts: "a" beside "bc" is not "ab" beside "c".
      a = Math.imul(a ^ text.length ^ 0x10000, 0x27d4eb2f) ^ b;
      b = Math.imul(b ^ a, 0x165667b1);
    }
    this.hashes[this.size * 2] = mixed(a);
    this.hashes[this.size * 2 + 1] = mixed(b ^ Math.imul(a, 0x9e3779b1));
    this.rows[this.size++] = row;
  }

  grow() {
    const [hashes, rows] = [this.hashes, this.rows];
    this.hashes = new Uint32Array(hashes.length * 2);
    this.rows = new Uint32Array(rows.length * 2);
    this.hashes.set(hashes);
    this.rows.set(rows);
  }

  // Every row whose value stands more than once, in order.
  repeated() {
    const whole = new BigUint64Array(this.hashes.buffer, 0, this.size);
    const ordered = whole.slice().sort();
    const again = new Set();
    for (let n = 1; n < ordered.length; n++) if (ordered[n] === ordered[n - 1]) again.add(ordered[n]);
    const rows = [];
    if (again.size) whole.forEach((hash, n) => again.has(hash) && rows.push(this.rows[n]));
    return rows;
  }
}

function mixed(hash) {
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
