// One block of cells: which rows break which rule, counted and told by number only.
import { peopleReaders, remembering } from "./_people.js";
import { beginsFormula, failing } from "./_questions.js";
import { rowRule } from "./_rows.js";
import { Repetitions } from "./_unique.js";

const FIRST = 10;

class Kinds {
  constructor() {
    this.byCode = new Map();
    this.count = 0;
  }

  add(code, row) {
    let found = this.byCode.get(code);
    if (!found) this.byCode.set(code, (found = { count: 0, first: [] }));
    if (found.count++ < FIRST) found.first.push(row);
    this.count++;
  }
}

export class Examiner {
  constructor(rules) {
    const numbers = new Map(rules.columns.map((column, number) => [column.name, number]));
    const numberOf = (name) => numbers.get(name);
    this.columns = rules.columns.map((column) => column.name);
    this.free = rules.columns.flatMap((column, number) => (column.free ? [number] : []));
    this.ofColumns = rules.columns.map((column) => columnRules(rules.rules, column.name));
    this.rules = rules.rules;
    this.people = peopleReaders(rules.people, numberOf);
    this.whole = rules.rules
      .filter((rule) => rule.ask.kind === "together")
      .map((rule) => ({ rule, places: rule.ask.columns.map(numberOf), seen: new Repetitions() }));
    this.across = rules.rules
      .filter((rule) => !rule.column && rule.ask.kind !== "together")
      .map((rule) => {
        const places = rule.ask.columns.map(numberOf);
        return { rule, places, ...rowRule(rule.ask, places) };
      });
  }

  // Counts one block into the tally. `ascii` says that no letter is outside ASCII.
  examine({ cells, records }, tally, ascii) {
    const block = { cells, records, tally, ascii, barred: new Uint8Array(records) };
    const broken = new Map(this.rules.map((rule) => [rule.name, new Kinds()]));
    const cleared = this.columns.map(() => null);
    this.ofColumns.forEach((own, place) => oneColumn(own, place, { block, broken, cleared }));
    for (const rule of this.across) acrossColumns(rule, block, broken.get(rule.rule.name));
    this.uniqueness(block);
    this.count(broken, block);
    this.formulas(block);
    this.unusable(block, cleared);
    tally.skip(records, block.barred);
  }

  count(broken, { tally }) {
    for (const rule of this.rules) {
      const { byCode, count } = broken.get(rule.name);
      if (count) tally.failed.set(rule.name, tally.failed.get(rule.name) + count);
      byCode.forEach((found, code) => note(tally, { code, column: rule.column, rule: rule.name }, found));
    }
  }

  uniqueness({ cells, records, tally }) {
    for (const { rule, places, seen } of this.whole) {
      let applied = 0;
      for (let row = 0; row < records; row++) {
        const texts = places.map((place) => cells[place][row]);
        if (texts.includes(null)) continue;
        seen.add(texts, tally.rows + row);
        applied++;
      }
      tally.applied.set(rule.name, tally.applied.get(rule.name) + applied);
    }
  }

  formulas({ cells, tally }) {
    for (const place of this.free) {
      const found = new Kinds();
      cells[place].forEach((text, row) => text !== null && beginsFormula(text) && found.add("", row));
      if (found.count) {
        const parts = { code: "intake/formula-text", column: this.columns[place] };
        note(tally, parts, found.byCode.get(""));
      }
    }
  }

  unusable({ cells, records, tally, barred }, cleared) {
    const { readers, extractPlace } = this.people;
    const given = (place, row) =>
      place < 0 || (cleared[place] && cleared[place].has(row)) ? null : cells[place][row];
    for (const { name, place, usable } of readers) {
      const found = new Kinds();
      for (let row = 0; row < records; row++) {
        if (barred[row]) continue;
        const text = given(place, row);
        if (text !== null && !usable(text, given(extractPlace, row))) found.add("", row);
      }
      if (found.count) note(tally, { code: "intake/not-usable", column: name }, found.byCode.get(""));
    }
  }
}

function note(tally, parts, { count, first }) {
  tally.note(parts, count, first.map((row) => tally.rows + row + 1));
}

// The rules of one column, and a function that gives those that a text breaks, with their codes.
function columnRules(rules, name) {
  const own = rules.filter((rule) => rule.column === name && rule.ask.kind !== "together");
  const asked = own
    .filter((rule) => rule.ask.kind !== "required")
    .map((rule) => ({
      rule,
      fails: failing(rule.ask),
      looks: rule.looks.map(([code, ask]) => ({ code, unlike: failing(ask) })),
    }));
  const breaks = (text) => {
    const found = [];
    for (const { rule, fails, looks } of asked) {
      if (!fails(text)) continue;
      const look = looks.find(({ unlike }) => !unlike(text));
      found.push([rule, look ? look.code : rule.code]);
    }
    return found;
  };
  return { own, breaks: remembering(breaks) };
}

function oneColumn({ own, breaks }, place, { block, broken, cleared }) {
  const { cells, records, tally, ascii, barred } = block;
  const texts = cells[place];
  let given = 0;
  const fail = (rule, code, row) => {
    if (rule.scripts && ascii) return;
    broken.get(rule.name).add(code, row);
    if (rule.effect === "quarantine") barred[row] = 1;
    else if (rule.effect === "clear") (cleared[place] = cleared[place] || new Set()).add(row);
  };
  const required = own.find((rule) => rule.ask.kind === "required");
  for (let row = 0; row < records; row++) {
    if (texts[row] !== null) {
      given++;
      for (const [rule, code] of breaks(texts[row])) fail(rule, code, row);
    } else if (required) fail(required, required.code, row);
  }
  for (const rule of own) {
    if (rule.scripts && ascii) continue;
    const applied = rule === required ? records : given;
    tally.applied.set(rule.name, tally.applied.get(rule.name) + applied);
  }
}

function acrossColumns({ rule, places, applies, fails }, { cells, records, tally, barred }, kinds) {
  let applied = 0;
  const row = new Array(cells.length);
  for (let n = 0; n < records; n++) {
    for (const place of places) row[place] = cells[place][n];
    if (!applies(row)) continue;
    applied++;
    if (!fails(row)) continue;
    kinds.add(rule.code, n);
    if (rule.effect === "quarantine") barred[n] = 1;
  }
  tally.applied.set(rule.name, tally.applied.get(rule.name) + applied);
}
