// Rules across the columns of a row: does the rule apply to a row, and does the row break it.
import { Declined } from "./_bytes.js";
import { dayReader } from "./_days.js";

const NUMBER = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/;
const ISO = "%Y-%m-%d";
const APART = 1e-9;

function measurer(measure) {
  if (measure.kind === "date") return dayReader(measure.forms);
  return (text) => (NUMBER.test(text) ? Number(text) : null);
}

const isIso = (measure) =>
  measure.kind === "date" && measure.forms.length === 1 && measure.forms[0] === ISO;

// Texts in the order of their code points, as UTF-8 has them.
function before(a, b) {
  for (let p = 0; p < a.length && p < b.length; p++) {
    if (a.charCodeAt(p) !== b.charCodeAt(p)) return a.codePointAt(p) < b.codePointAt(p);
  }
  return a.length < b.length;
}

function ordered([most, least], [mostBy, leastBy]) {
  const applies = (row) => row[most] !== null && row[least] !== null;
  if (isIso(mostBy) && isIso(leastBy)) {
    return { applies, fails: (row) => before(row[most], row[least]) };
  }
  const [upper, lower] = [measurer(mostBy), measurer(leastBy)];
  const fails = (row) => {
    const [high, low] = [upper(row[most]), lower(row[least])];
    return high !== null && low !== null && high < low;
  };
  return { applies, fails };
}

const holds = (place, value) => (row) => (value === "*" ? row[place] !== null : row[place] === value);

const MAKERS = {
  "not-before": (places, { measures }) => ordered(places, measures),
  "at-most": (places, { measures }) => ordered([...places].reverse(), [...measures].reverse()),
  "sum-at-most"(places, { measures }) {
    const by = measures.map(measurer);
    const fails = (row) => {
      const values = places.map((place, n) => by[n](row[place]));
      if (values.includes(null)) return false;
      const limit = values.pop();
      return values.reduce((sum, value) => sum + value, 0) > limit + APART;
    };
    return { applies: (row) => places.every((place) => row[place] !== null), fails };
  },
  "required-if": ([place, other], { value }) => ({
    applies: holds(other, value),
    fails: (row) => row[place] === null,
  }),
  "absent-if": ([place, other], { value }) => ({
    applies: holds(other, value),
    fails: (row) => row[place] !== null,
  }),
  "one-of-present": (places) => ({
    applies: () => true,
    fails: (row) => places.every((place) => row[place] === null),
  }),
};

// `places` are the numbers of the contract's columns.
export function rowRule(ask, places) {
  if (!MAKERS[ask.kind]) throw new Declined("rules");
  return MAKERS[ask.kind](places, ask);
}
