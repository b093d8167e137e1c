// What is wrong with the structure of a block, and in which records (0-based in the block).
import { NEWLINE, QUOTE, RETURN } from "./_bytes.js";

const FIRST = 10;
const fault = (code, records, hint = "") => {
  const each = Array.from(new Set(records)).sort((a, b) => a - b);
  return { code, count: each.length, first: each.slice(0, FIRST), hint };
};

export function faultsOf(bytes, { width, delimiter, longest }) {
  const { ends, wide, long, quotes } = shape(bytes, { width, delimiter, longest });
  const recordOf = (place) => atOrAfter(ends, place);
  const records = ends.length;
  if (quotes.length) {
    const wrong = strayQuotes(bytes, quotes, delimiter);
    if (wrong.length) return { records, faults: [fault("intake/quote-stray", wrong.map(recordOf))] };
    if (quotes.length % 2) {
      const last = recordOf(quotes[quotes.length - 1]);
      return { records, faults: [fault("intake/quote-open", [last])] };
    }
  }
  const { returns, nuls } = oddBytes(bytes);
  const faults = [];
  if (returns.length) faults.push(fault("intake/bare-return", returns.map(recordOf)));
  if (nuls.length) faults.push(fault("intake/nul", nuls.map(recordOf)));
  if (wide.length) faults.push(widthFault(bytes, fault("intake/row-width", wide), records));
  if (long.length) faults.push(fault("intake/cell-too-long", long, String(longest)));
  return { records, faults };
}

// A file that ends inside its last row is truncated.
function widthFault(bytes, found, records) {
  const last = found.count === 1 && found.first[0] === records - 1;
  const cut = last && bytes[bytes.length - 1] !== NEWLINE;
  return cut ? { ...found, code: "intake/truncated" } : found;
}

function shape(bytes, { width, delimiter, longest }) {
  const [ends, wide, long, quotes] = [[], [], [], []];
  let inside = false;
  let fields = 0;
  let from = 0;
  const separate = (p, ending) => {
    fields++;
    if (p - from > longest) long.push(ends.length);
    from = p + 1;
    if (!ending) return;
    if (fields !== width) wide.push(ends.length);
    ends.push(p);
    fields = 0;
  };
  for (let p = 0; p < bytes.length; p++) {
    const byte = bytes[p];
    if (byte === QUOTE) {
      inside = !inside;
      quotes.push(p);
    } else if (!inside && (byte === delimiter || byte === NEWLINE)) separate(p, byte === NEWLINE);
  }
  if (bytes.length && bytes[bytes.length - 1] !== NEWLINE) separate(bytes.length, true);
  return { ends, wide, long, quotes };
}

function strayQuotes(bytes, quotes, delimiter) {
  const at = (p) => (p < 0 || p >= bytes.length ? NEWLINE : bytes[p]);
  const border = (byte) => byte === delimiter || byte === NEWLINE;
  return quotes.filter((p, number) => {
    if (number % 2 === 0) return !border(at(p - 1)) && !(number && quotes[number - 1] === p - 1);
    const after = at(p + 1);
    return !border(after) && after !== QUOTE && !(after === RETURN && at(p + 2) === NEWLINE);
  });
}

function oddBytes(bytes) {
  const [returns, nuls] = [[], []];
  let inside = false;
  for (let p = 0; p < bytes.length; p++) {
    if (bytes[p] === QUOTE) inside = !inside;
    else if (!bytes[p]) nuls.push(p);
    else if (bytes[p] === RETURN && !inside && bytes[p + 1] !== NEWLINE) returns.push(p);
  }
  return { returns, nuls };
}

function atOrAfter(ends, place) {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
