// The cells of a block that is well formed, or null where there is any doubt about it.
// RFC 4180: a quote stands only around a whole cell, doubled inside it.
import { NEWLINE, QUOTE, RETURN } from "./_bytes.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const octets = new TextDecoder("windows-1252", { ignoreBOM: true }); // one letter for each byte
const isBlank = (code) => code === 32 || code === 9 || code === 160;

// Blanks around a cell are no part of it, and a cell of which nothing is left is missing.
export function trimmed(text) {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  if (from === to) return null;
  return from || to < text.length ? text.slice(from, to) : text;
}

// `wanted[field]` is the number of the contract's column, or -1.
export function readCells(bytes, { width, wanted, columns, delimiter, longest }) {
  const end = bytes.length;
  const letters = octets.decode(bytes);
  const cells = Array.from({ length: columns }, () => []);
  const keep = (field, from, to, doubled, foreign) => {
    if (wanted[field] < 0) return;
    let text = foreign ? utf8.decode(bytes.subarray(from, to)) : letters.slice(from, to);
    if (doubled) text = text.split('""').join('"');
    cells[wanted[field]].push(trimmed(text));
  };
  let p = 0;
  let field = 0;
  let records = 0;
  while (p < end) {
    if (field >= width) return null;
    const cell = p;
    const quoted = bytes[p] === QUOTE;
    let seen = 0;
    let doubled = false;
    if (quoted) {
      for (p++; ; p++) {
        while (p < end && bytes[p] !== QUOTE) {
          if (!bytes[p]) return null;
          seen |= bytes[p++];
        }
        if (p >= end) return null;
        if (bytes[p + 1] !== QUOTE) break;
        doubled = true;
        p++;
      }
      p++;
    } else {
      for (; p < end; p++) {
        const byte = bytes[p];
        if (byte === delimiter || byte <= RETURN || byte === QUOTE) {
          if (byte === delimiter || byte === NEWLINE || byte === RETURN) break;
          if (byte === QUOTE || !byte) return null;
        }
        seen |= byte;
      }
    }
    if (p - cell > longest) return null;
    keep(field, quoted ? cell + 1 : cell, quoted ? p - 1 : p, doubled, seen > 0x7f);
    if (bytes[p] === RETURN && p < end) {
      if (bytes[p + 1] !== NEWLINE) return null;
      p++;
    }
    if (p >= end || bytes[p] === NEWLINE) {
      if (field !== width - 1) return null;
      records++;
      field = 0;
      p++;
    } else if (bytes[p] === delimiter) {
      field++;
      if (++p === end) {
        if (field !== width - 1) return null;
        keep(field, p, p, false, false);
        records++;
      }
    } else {
      return null;
    }
  }
  return { records, cells };
}
