// Counts of all blocks, merged; and the decision that follows from them.
import { finding } from "./_bytes.js";

const merged = (...parts) => Object.assign({}, ...parts);

export class Tally {
  constructor(rules) {
    this.contract = rules;
    this.rules = rules.rules;
    this.rows = 0;
    this.blocks = [];
    this.applied = new Map(this.rules.map((rule) => [rule.name, 0]));
    this.failed = new Map(this.rules.map((rule) => [rule.name, 0]));
    this.found = new Map();
    this.broken = false;
  }

  // A breach of structure in the block that comes next.
  addFault({ code, count, first, hint }) {
    this.broken = true;
    this.note({ code, hint }, count, first.map((record) => this.rows + record + 1));
  }

  note(parts, count, first) {
    const key = JSON.stringify([parts.code, parts.column, parts.rule, parts.hint]);
    if (!this.found.has(key)) this.found.set(key, finding(parts.code, merged(parts, { first_rows: [] })));
    const kept = this.found.get(key);
    kept.rows += count;
    kept.first_rows.push(...first.slice(0, this.contract.first_rows - kept.first_rows.length));
  }

  // The rows of a block, and which of them stay behind.
  skip(records, barred = new Uint8Array(records)) {
    this.blocks.push({ from: this.rows, barred });
    this.rows += records;
  }

  addRepeated(rule, rows) {
    if (!rows.length) return;
    this.failed.set(rule.name, rows.length);
    const parts = { code: rule.code, column: rule.column, rule: rule.name };
    this.note(parts, rows.length, rows.slice(0, this.contract.first_rows).map((row) => row + 1));
    this.bar(rows);
  }

  bar(rows) {
    let number = 0;
    for (const row of rows) {
      while (row >= this.blocks[number].from + this.blocks[number].barred.length) number++;
      this.blocks[number].barred[row - this.blocks[number].from] = 1;
    }
  }

  decide(dropped) {
    let barred = 0;
    for (const block of this.blocks) barred += block.barred.reduce((sum, bit) => sum + bit, 0);
    const [state, reasons] = this.state(barred);
    return verdict(this.contract, {
      state,
      rows: this.rows,
      accepted: state === "accepted" ? this.rows - barred : 0,
      quarantined: { accepted: barred, quarantined: this.rows }[state] || 0,
      failing_rows: barred,
      broken: this.broken,
      dropped_columns: dropped,
      findings: [...reasons, ...this.found.values()],
    });
  }

  state(barred) {
    const share = barred / this.rows;
    if (this.broken) return ["rejected", []];
    if (!this.rows) return ["rejected", [finding("intake/no-rows")]];
    if (share > this.contract.reject_above) {
      return ["rejected", [finding("intake/rows-failing-reject", { rows: barred })]];
    }
    const reasons = this.rules.flatMap((rule) => {
      const rows = this.failed.get(rule.name);
      const over = rule.tolerated && rows / Math.max(this.applied.get(rule.name), 1) > rule.tolerated;
      const parts = { column: rule.column, rule: rule.name, rows };
      return over ? [finding("intake/tolerance-exceeded", parts)] : [];
    });
    if (share > this.contract.quarantine_above) {
      reasons.push(finding("intake/rows-failing-hold", { rows: barred }));
    }
    return [reasons.length ? "quarantined" : "accepted", reasons];
  }
}

const NOTHING = { rows: 0, accepted: 0, quarantined: 0, failing_rows: 0 };

// The verdict on a file that cannot be read as the contract says.
export function rejected(rules, findings, dropped = []) {
  const parts = { state: "rejected", broken: true, dropped_columns: dropped, findings };
  return verdict(rules, merged(NOTHING, parts));
}

function verdict(rules, parts) {
  const listed = parts.findings.slice(0, rules.listed);
  return merged(parts, { findings: listed, unlisted: parts.findings.length - listed.length });
}
