// A file as blocks of whole records in UTF-8, cut at the same places as the gateway cuts them.
// Whatever a browser would read otherwise is declined, never guessed.

export const NEWLINE = 10;
export const RETURN = 13;
export const QUOTE = 34;
const MOST_BLANKS = 1 << 20;
const BOM = [0xef, 0xbb, 0xbf];
// What Python's codec refuses and a browser's lets through as control characters.
const UNDEFINED_1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const single = new TextDecoder("windows-1252", { ignoreBOM: true });

// The file cannot be judged here; the reason is a word of ours.
export class Declined extends Error {}

// The file, or what stands at a byte of it, is not in an encoding of the contract.
export class Undecodable extends Error {
  constructor(place) {
    super("undecodable");
    this.place = place;
  }
}

export const finding = (code, parts = {}) => ({
  ...{ code, column: "", rule: "", rows: 0, first_rows: [], hint: "" },
  ...parts,
});

const startsWith = (bytes, hex) =>
  hex.match(/../g).every((pair, place) => bytes[place] === parseInt(pair, 16));

// What is to be said of a file by its first bytes, or null where it is text to read on.
export function refusedKind(first, rules) {
  if (!first.length) return finding("intake/empty");
  const known = rules.kinds.find(([magic]) => startsWith(first, magic));
  if (known) return finding("intake/not-text", { hint: known[1] });
  if (isUtf16(first)) {
    if (rules.encodings.includes("utf-16")) throw new Declined("utf-16");
    return finding("intake/utf-16");
  }
  if (rules.spreadsheets.some((magic) => startsWith(first, magic))) throw new Declined("spreadsheet");
  return null;
}

function isUtf16(first) {
  const mark = `${first[0]},${first[1]}`;
  if (first.length > 1 && (mark === "255,254" || mark === "254,255")) return true;
  const head = Array.from(first.subarray(0, 64));
  if (head.length < 4) return false;
  return [0, 1].some((odd) => head.every((byte, place) => place % 2 !== odd || !byte));
}

export const withoutMark = (bytes) =>
  BOM.every((byte, place) => bytes[place] === byte) ? bytes.subarray(3) : bytes;

// Blocks that end between records, never inside quotes; only the last may lack its line end.
// Blank lines at the end of the file are no records.
export async function* blocksOf(file, limits, onRead) {
  let held = new Uint8Array(0);
  for await (const block of allBlocks(file, limits, onRead)) {
    const end = contentEnd(block);
    if (!end && held.length < MOST_BLANKS) {
      held = joined(held, block);
      continue;
    }
    yield joined(held, block.subarray(0, end));
    held = block.slice(end);
  }
}

// Where the last record that is not a blank line ends; 0 where all are.
function contentEnd(bytes) {
  let end = bytes.length;
  for (let size = blankBefore(bytes, end); size; size = blankBefore(bytes, end)) end -= size;
  const only = end === 1 || (end === 2 && bytes[0] === RETURN);
  return only && bytes[end - 1] === NEWLINE ? 0 : end;
}

// How many bytes the blank line has that ends here, behind another line; 0 where none does.
function blankBefore(bytes, end) {
  if (end < 2 || bytes[end - 1] !== NEWLINE) return 0;
  if (bytes[end - 2] === NEWLINE) return 1;
  return end > 2 && bytes[end - 2] === RETURN && bytes[end - 3] === NEWLINE ? 2 : 0;
}

async function* allBlocks(file, limits, onRead) {
  let rest = new Uint8Array(0);
  for (let at = 0; at < file.size; at += limits.block) {
    const buffer = joined(rest, await read(file, at, limits.block));
    onRead(Math.min(file.size, at + limits.block));
    const end = recordsEnd(buffer);
    if (end) yield buffer.subarray(0, end);
    rest = buffer.slice(end);
    if (rest.length > limits.record) break;
  }
  if (rest.length) yield rest;
}

async function read(file, at, size) {
  try {
    return new Uint8Array(await file.slice(at, at + size).arrayBuffer());
  } catch {
    throw new Declined("unreadable");
  }
}

function joined(head, tail) {
  if (!head.length) return tail;
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}

function quotesIn(bytes, from, to) {
  let count = 0;
  for (let p = from; p < to; p++) if (bytes[p] === QUOTE) count++;
  return count;
}

// Where the last whole record ends: a line end behind an even number of quotes.
function recordsEnd(bytes) {
  let odd = quotesIn(bytes, 0, bytes.length) & 1;
  let end = bytes.length;
  while (end > 0) {
    const cut = bytes.lastIndexOf(NEWLINE, end - 1);
    if (cut < 0) return 0;
    odd ^= quotesIn(bytes, cut, end) & 1;
    if (!odd) return cut + 1;
    end = cut;
  }
  return 0;
}

export function isAscii(bytes) {
  let seen = 0;
  for (let p = 0; p < bytes.length; p++) seen |= bytes[p];
  return seen < 0x80;
}

// Bytes in UTF-8, whichever declared encoding they came in; the first letter outside ASCII decides.
export class Utf8Blocks {
  constructor(encodings) {
    const wide = encodings.includes("utf-8") || encodings.includes("utf-16");
    this.codec = wide ? "" : "single";
    this.other = encodings.some((name) => name === "latin-1" || name === "windows-1252");
    this.offset = 0;
  }

  read(bytes) {
    this.offset += bytes.length;
    if (isAscii(bytes)) return bytes;
    if (!this.codec) this.codec = !this.other || beginsUtf8(bytes) ? "utf-8" : "single";
    const wrong = this.codec === "utf-8" ? wrongUtf8(bytes) : wrongSingle(bytes);
    if (wrong >= 0) throw new Undecodable(wrong);
    return this.codec === "utf-8" ? bytes : new TextEncoder().encode(single.decode(bytes));
  }
}

function beginsUtf8(bytes) {
  const wrong = wrongUtf8(bytes);
  return wrong < 0 || !isAscii(bytes.subarray(0, wrong));
}

function wrongSingle(bytes) {
  return bytes.findIndex((byte) => UNDEFINED_1252.has(byte));
}

// The first byte of what is no UTF-8; -1 where all is.
function wrongUtf8(bytes) {
  try {
    utf8.decode(bytes);
    return -1;
  } catch {
    let p = 0;
    while (p < bytes.length) {
      const size = letterAt(bytes, p);
      if (!size) return p;
      p += size;
    }
    return -1;
  }
}

function letterAt(bytes, p) {
  const first = bytes[p];
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const [low, high] = { 0xe0: [0xa0, 0xbf], 0xed: [0x80, 0x9f], 0xf0: [0x90, 0xbf], 0xf4: [0x80, 0x8f] }[
    first
  ] || [0x80, 0xbf];
  if (!(bytes[p + 1] >= low && bytes[p + 1] <= high)) return 0;
  for (let more = 2; more < size; more++) if ((bytes[p + more] & 0xc0) !== 0x80) return 0;
  return size;
}

export const textOf = (bytes) => utf8.decode(bytes);
