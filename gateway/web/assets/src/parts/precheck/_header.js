// The header row: which column of the file is which column of the contract. A name that no
// published contract knows is told by its place only.
import { Declined, NEWLINE, finding } from "./_bytes.js";

// Of a name that stands very often.
const MOST_PLACES = 10;
// White space as the gateway knows it; a browser's own \s is another set.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const OUTER = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
const INNER = new RegExp(`[${SPACE}_-]+`, "g");
const SPACED = new RegExp(`[${SPACE}]`);
// Letters up to Cyrillic, and punctuation: there both readers fold case alike but for these.
const UNLIKE = /[^\u0000-\u052f\u2000-\u206f\u3000\ufeff]/;
const CASEFOLD = { ß: "ss", ǰ: "ǰ", "\u0345": "ι", ΐ: "ΐ", ΰ: "ΰ", ς: "σ" };
const PERSONAL = [
  /^[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?$/,
  /^[0-9][0-9]?[/.][0-9][0-9]?[/.][0-9]{2,4}$/,
  /^-?[0-9]+([.,][0-9]+)?$/,
  /^[0-9 ]{9,14}$/,
  /^[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}$/,
  /^[A-Za-z]{2} ?([0-9][0-9] ?){3}[A-Da-d]?$/,
  /^[A-Za-z][0-9]{11}[0-9A-Za-z]$/,
];

export function fold(name) {
  if (UNLIKE.test(name)) throw new Declined("header");
  const text = name.normalize("NFKC").replace(OUTER, "");
  if (UNLIKE.test(text)) throw new Declined("header");
  const lower = Array.from(text, (letter) => CASEFOLD[letter] || letter.toLowerCase()).join("");
  return lower.split("\ufeff").join("").replace(INNER, "_");
}

const NOT_ASCII = /[^\u0000-\u007f]/;
// What shows nothing where it stands, and accents, which stand apart in the decomposed form.
const UNSEEN = /[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u2065\p{M}\p{Cf}]/gu;

// The same text for all names that look the same.
function unmask(name, alike) {
  const text = fold(name.normalize("NFKD").replace(UNSEEN, ""));
  return Array.from(text, (letter) => alike.get(letter) || letter).join("");
}

function personal(cell) {
  const text = cell.replace(OUTER, "");
  if (PERSONAL.some((form) => form.test(text))) return true;
  const [name, host, ...more] = text.split("@");
  if (!name || !host || more.length || SPACED.test(text)) return false;
  const dot = host.indexOf(".", 1);
  return dot > 0 && dot < host.length - 1;
}

const refused = (found, width = 0) => ({ width, places: [], dropped: [], findings: [found] });

export function readHeader(line, rules) {
  const cells = split(line, rules.delimiter);
  if (!cells) return refused(finding("intake/header-malformed"));
  const names = new Map(Object.entries(rules.header.names));
  const header = matched(cells, names, rules);
  const better = betterDelimiter(line, names, rules, header.places.length);
  return better ? refused(finding("intake/delimiter", { hint: better }), header.width) : header;
}

// On which of the lines below the first the names of the columns seem to stand; null on none.
export function belowFirst(rest, rules) {
  const names = new Map(Object.entries(rules.header.names));
  for (let number = 2, from = 0; number < 2 + rules.header.lines_below; number++) {
    const cut = rest.indexOf(NEWLINE, from);
    const line = rest.subarray(from, cut < 0 ? rest.length : cut).subarray(0, rules.header.longest_line);
    const text = Array.from(line, (byte) => String.fromCharCode(byte)).join("");
    const cells = split(text.replace(/\r+$/, ""), rules.delimiter) || [];
    const plain = cells.filter((cell) => !NOT_ASCII.test(cell)).map(fold);
    const found = new Set(plain.filter((name) => names.has(name)).map((name) => names.get(name)));
    if (found.size > 1) return finding("intake/header-not-first", { hint: String(number) });
    if (cut < 0) break;
    from = cut + 1;
  }
  return null;
}

function matched(cells, names, rules) {
  if (cells.length > rules.most_columns) {
    return refused(finding("intake/too-many-columns", { hint: String(rules.most_columns) }));
  }
  const folded = cells.map(fold);
  const published = new Set(rules.header.published);
  const places = folded.flatMap((name, place) => (names.has(name) ? [[names.get(name), place]] : []));
  const told = (place) => (published.has(folded[place]) ? folded[place] : `column ${place + 1}`);
  const dropped = folded.flatMap((name, place) => (names.has(name) ? [] : [told(place)]));
  const findings = faultsOf(cells, folded, { names, published, rules });
  return { width: cells.length, places, dropped, findings };
}

function faultsOf(cells, folded, { names, published, rules }) {
  if (folded.some((name, place) => !published.has(name) && personal(cells[place]))) {
    return [finding("intake/headerless")];
  }
  const alike = new Map(Object.entries(rules.header.look_alikes));
  const unmasked = cells.map((cell) => unmask(cell, alike));
  const ours = new Map(Object.entries(rules.header.unmasked));
  const all = new Set(rules.header.all_unmasked);
  const found = [];
  unmasked.forEach((name, place) => {
    const masked = all.has(name) && !published.has(folded[place]);
    if (!masked && !(ours.has(name) && !names.has(folded[place]))) return;
    found.push(finding("intake/header-look-alike", { column: `column ${place + 1}` }));
  });
  found.push(...doubles(folded, unmasked, names, ours));
  const present = new Set(folded.filter((name) => names.has(name)).map((name) => names.get(name)));
  for (const column of rules.columns) {
    if (!column.always || present.has(column.name)) continue;
    found.push(finding("intake/column-missing", { column: column.name }));
  }
  if (!present.size) found.push(finding("intake/no-known-column"));
  return found;
}

// Where columns are missing: of which other dataset the file seems to be.
export function toldApart(header, rules) {
  const lacks = header.findings.filter((found) => found.code === "intake/column-missing");
  const missing = new Set(lacks.map((found) => found.column));
  const ours = Object.entries(rules.header.names).filter(([, column]) => !missing.has(column));
  let best = null;
  let most = rules.enough - 1;
  for (const other of missing.size ? rules.others : []) {
    const known = (name) => (Object.hasOwn(other.names, name) ? [other.names[name]] : []);
    const own = new Set(header.dropped.flatMap(known));
    const here = new Set([...own, ...ours.flatMap(([name]) => known(name))]);
    if (own.size <= most || !other.wanted.every((column) => here.has(column))) continue;
    [best, most] = [other, own.size];
  }
  return best ? [finding("intake/another-dataset", { hint: best.called })] : [];
}

// One finding for each name that stands more than once, with its places.
function doubles(folded, unmasked, names, ours) {
  const places = new Map();
  unmasked.forEach((name, place) => {
    const meant = ours.has(name) ? ours.get(name) : name;
    if (!places.has(meant)) places.set(meant, []);
    places.get(meant).push(place);
  });
  return Array.from(places).flatMap(([name, found]) => {
    if (!name || found.length < 2) return [];
    const known = found.some((place) => names.has(folded[place]));
    const column = known ? name : `column ${found[0] + 1}`;
    return [finding("intake/header-duplicate", { column, hint: placed(found) })];
  });
}

// Places as people count them; of many the first ten.
function placed(places) {
  const shown = places.slice(0, MOST_PLACES).map((place) => String(place + 1));
  const more = places.length - shown.length;
  const last = more ? `${more} more` : shown.pop();
  return `${shown.join(", ")} and ${last}`;
}

// The delimiter under which more columns of the contract are found.
function betterDelimiter(line, names, rules, found) {
  for (const [delimiter, word] of Object.entries(rules.header.delimiters)) {
    const cells = delimiter === rules.delimiter ? null : split(line, delimiter);
    if (!cells || cells.length < 2) continue;
    if (cells.filter((cell) => names.has(fold(cell))).length > found) return word;
  }
  return "";
}

// One RFC 4180 record; null when its quoting is wrong.
function split(line, delimiter) {
  if (!line.includes('"')) return line.split(delimiter);
  const cells = [];
  for (let p = 0; ; p++) {
    let end = p;
    if (line[p] === '"') {
      end = line.indexOf('"', p + 1);
      while (end >= 0 && line[end + 1] === '"') end = line.indexOf('"', end + 2);
      if (end < 0) return null;
      cells.push(line.slice(p + 1, end).split('""').join('"'));
      end++;
    } else {
      while (end < line.length && line[end] !== delimiter && line[end] !== '"') end++;
      cells.push(line.slice(p, end));
    }
    if (end >= line.length) return cells;
    if (line[end] !== delimiter) return null;
    p = end;
  }
}
