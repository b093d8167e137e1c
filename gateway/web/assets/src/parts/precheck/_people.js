// Whether a name or a birth says anything about who a row is about; a row that says nothing is
// kept, and counted.
import { dayReader, isoDay } from "./_days.js";

const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const OUTER = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
const SPACES = new RegExp(`[${SPACE}]+`, "g");
const SEPARATORS = new RegExp(`[${SPACE}/,_\\u2010-\\u2015\\u2212-]+`, "g");
const ASCII = /^[\x00-\x7f]*$/;

// Upper-case A to Z and single spaces, or "" where nothing is left.
function spelled(text, letters) {
  const folded = ASCII.test(text)
    ? text
    : Array.from(text, (letter) => letters.get(letter) ?? letter).join("");
  const plain = folded.replace(SEPARATORS, " ").replace(/[^\x00-\x7f]/g, "").toUpperCase();
  return plain.replace(/[^A-Z ]+/g, "").replace(/ {2,}/g, " ").replace(/^ | $/g, "");
}

// A function that says whether a name is of use.
function nameReader(people, surname) {
  const letters = new Map(Object.entries(people.fold));
  const missing = new Set([...people.missing, ...(surname ? [] : people.missing_forename)]);
  const none = new Set(people.no_name);
  const [titles, prefixes] = [new Set(people.titles), new Set(people.prefixes)];
  const settle = (words) => {
    const rest = words.length > 1 && titles.has(words[0]) ? words.slice(1) : words;
    return surname ? joined(rest, prefixes) : rest;
  };
  return (raw) => {
    const text = raw.replace(OUTER, "");
    const spaced = text.replace(SPACES, " ");
    if (!text || (ASCII.test(text) && missing.has(spaced.toUpperCase()))) return false;
    let name = spelled(text, letters);
    for (let earlier = null; name !== earlier; ) {
      if (!name || none.has(name)) return false;
      earlier = name;
      name = settle(name.split(" ")).join(" ");
    }
    return true;
  };
}

// Each run of prefixes is joined to the part after it; a run at the end stands as it is.
function joined(words, prefixes) {
  let end = words.length;
  while (end > 0 && prefixes.has(words[end - 1])) end--;
  const parts = [];
  let open = "";
  for (const word of words.slice(0, end)) {
    if (prefixes.has(word)) {
      open += word;
    } else {
      parts.push(open + word);
      open = "";
    }
  }
  return [...parts, ...words.slice(end)];
}

function birthReader(people, dates, extracted) {
  const read = dayReader(dates.forms);
  const none = new Set(people.no_birth.map(isoDay));
  const earliest = isoDay(people.earliest_birth);
  const last = extracted ? dayReader(extracted.dates.forms) : () => null;
  return (text, extractText) => {
    const day = read(text);
    if (day === null || day < earliest || none.has(day)) return false;
    const limit = extractText === null ? null : last(extractText);
    return limit === null || day <= limit;
  };
}

// For each column that says who a row is about: its number, and whether a text is of use.
export function peopleReaders(people, numberOf) {
  const [extracted] = people.extracted;
  const extractPlace = extracted ? numberOf(extracted.name) : -1;
  const readers = people.columns.map((column) => ({
    name: column.name,
    place: numberOf(column.name),
    birth: column.as === "birth",
    usable:
      column.as === "birth"
        ? birthReader(people, column.dates, extracted)
        : remembering(nameReader(people, column.as === "surname")),
  }));
  return { readers, extractPlace };
}

const MOST_REMEMBERED = 5000;
export function remembering(work) {
  const known = new Map();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = work(text);
      if (known.size < MOST_REMEMBERED) known.set(text, answer);
    }
    return answer;
  };
}
