// Each kind of question that a rule may put to one text: a function that says whether it fails.
import { Declined } from "./_bytes.js";
import { dayReader, isoDay } from "./_days.js";
import { IDENTIFIERS } from "./_identifiers.js";

const HIDDEN =
  /[\x80-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const CONTROL = /[\x00-\x1f\x7f]/;
const DAMAGED = /^[0-9]+(?:\.[0-9]+)?[Ee][+-]?[0-9]+$|^[0-9]+\.0$|^#[A-Z/0!?]+$/;
const FORMS = {
  "academic-year": /^(?:19|20)[0-9]{2}\/[0-9]{2}$/,
  digits: /^[0-9]+$/,
  "school-urn": /^[0-9]{6}$/,
  "letters-and-digits": /^[A-Za-z0-9]+$/,
  reference: /^[A-Za-z0-9][A-Za-z0-9/_.:-]*$/,
};
const LATIN = /[A-Za-z\u00c0-\u024f]/;
const GREEK_OR_CYRILLIC = /[\u0370-\u052f]/;
const FORMULA = "=+-@\t\r";

export const beginsFormula = (text) => FORMULA.includes(text[0]);

const MAKERS = {
  number: (ask) => (text) => !isNumber(text, ask),
  date(ask) {
    const read = dayReader(ask.forms);
    return (text) => read(text) === null;
  },
  "date-range"(ask) {
    const read = dayReader(ask.forms);
    const low = ask.low ? isoDay(ask.low) : -Infinity;
    const high = ask.high ? isoDay(ask.high) : Infinity;
    return (text) => {
      const day = read(text);
      return day !== null && (day < low || day > high);
    };
  },
  "day-number": () => (text) => !/^[0-9]{4,5}(\.[0-9]+)?$/.test(text),
  text(ask) {
    if (!ask.form) return (text) => CONTROL.test(text) || HIDDEN.test(text) || !/[^ ]/.test(text);
    if (!FORMS[ask.form]) throw new Declined("rules");
    return (text) => !FORMS[ask.form].test(text);
  },
  hidden: () => (text) => !HIDDEN.test(text),
  damaged: () => (text) => !DAMAGED.test(text),
  "damaged-nhs-number": () => (text) => !DAMAGED.test(text) && !/^[0-9]{7,9}$/.test(text),
  // Letters, not units of UTF-16.
  length: (ask) => (text) => text.length > ask.most && Array.from(text).length > ask.most,
  codes(ask) {
    const codes = new Set(ask.codes);
    return (text) => !codes.has(text);
  },
  "code-list"(ask) {
    const codes = new Set(ask.codes);
    return (text) => !text.split(";").every((code) => codes.has(code));
  },
  "one-script": () => (text) =>
    GREEK_OR_CYRILLIC.test(text) &&
    text.split("\n").some((line) => LATIN.test(line) && GREEK_OR_CYRILLIC.test(line)),
};

// A function that says whether a text fails the question.
export function failing(ask) {
  const valid = IDENTIFIERS[ask.kind];
  if (valid) return (text) => !valid(text, ask.synthetic);
  if (!MAKERS[ask.kind]) throw new Declined("rules");
  return MAKERS[ask.kind](ask);
}

// Plain notation without leading zeros; at a bound the fraction may only be zero.
function isNumber(text, { decimals, low, high }) {
  const found = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  if (!found) return false;
  const [, sign, digits, fraction = ""] = found;
  if (digits.length > 15 || fraction.length > decimals) return false;
  if (low === null) return true;
  const [least, most] = sign ? [Math.max(-high, decimals ? 0 : 1), -low] : [Math.max(low, 0), high];
  if (sign ? low >= 0 : high < 0) return false;
  const value = Number(digits);
  return value >= least && (value < most || (value === most && /^0*$/.test(fraction)));
}
