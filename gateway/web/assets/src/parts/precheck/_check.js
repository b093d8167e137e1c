// A file against the rules of its contract, block by block: the verdict that the gateway would
// give, or Declined where a browser cannot know it.
import {
  Declined,
  NEWLINE,
  RETURN,
  Undecodable,
  Utf8Blocks,
  blocksOf,
  finding,
  isAscii,
  refusedKind,
  textOf,
  withoutMark,
} from "./_bytes.js";
import { readCells } from "./_cells.js";
import { Examiner } from "./_examine.js";
import { faultsOf } from "./_faults.js";
import { belowFirst, readHeader, toldApart } from "./_header.js";
import { Tally, rejected } from "./_tally.js";

const STOPPING = new Set(["intake/quote-open", "intake/quote-stray", "intake/encoding"]);

export async function check(file, rules, onRead) {
  if (rules.unasked.length) throw new Declined("rules");
  if (file.size > rules.limits.bytes) throw new Declined("large");
  const blocks = blocksOf(file, rules.limits, (read) => onRead(read));
  const first = (await blocks.next()).value || new Uint8Array(0);
  const kind = refusedKind(first, rules);
  if (kind) return rejected(rules, [kind]);
  const { header, refused, rest, source } = opened(first, rules);
  if (refused) return rejected(rules, [refused]);
  if (header.findings.length) {
    return rejected(rules, [...toldApart(header, rules), ...header.findings], header.dropped);
  }
  const reading = new Reading(rules, header, source);
  let going = !rest.length || reading.take(rest);
  while (going) {
    const { value, done } = await blocks.next();
    going = !done && reading.take(value);
  }
  return reading.verdict();
}

// The first line, and what follows it in the first block.
function opened(first, rules) {
  const bytes = withoutMark(first);
  const cut = bytes.indexOf(NEWLINE);
  const line = cut < 0 ? bytes : bytes.subarray(0, cut);
  const rest = cut < 0 ? bytes.subarray(bytes.length) : bytes.subarray(cut + 1);
  const refused = lineFault(line, rest, rules);
  if (refused) return { refused };
  const source = new Utf8Blocks(rules.encodings);
  try {
    const text = textOf(source.read(cut < 0 ? line : bytes.subarray(0, cut + 1)));
    source.offset += first.length - bytes.length;
    const header = readHeader(text.replace(/[\r\n]+$/, ""), rules);
    const below = header.places.length ? null : belowFirst(rest, rules);
    return below ? { refused: below } : { header, rest, source };
  } catch (fault) {
    if (!(fault instanceof Undecodable)) throw fault;
    return { refused: finding("intake/encoding", { hint: String(fault.place) }) };
  }
}

function lineFault(line, rest, rules) {
  let end = line.length;
  while (end && line[end - 1] === RETURN) end--;
  if (line.includes(0)) return finding("intake/nul");
  if (line.subarray(0, end).includes(RETURN)) return finding("intake/bare-return");
  if (line.length > rules.limits.header) {
    return finding("intake/too-many-columns", { hint: String(rules.most_columns) });
  }
  const blank = (bytes) => bytes.every((byte) => byte === 32 || (byte >= 9 && byte <= 13));
  return blank(line) && blank(rest) ? finding("intake/empty") : null;
}

class Reading {
  constructor(rules, header, source) {
    this.rules = rules;
    this.header = header;
    this.source = source;
    this.tally = new Tally(rules);
    this.examiner = new Examiner(rules);
    const numbers = new Map(rules.columns.map((column, number) => [column.name, number]));
    const wanted = new Array(header.width).fill(-1);
    for (const [name, place] of header.places) wanted[place] = numbers.get(name);
    this.shape = {
      width: header.width,
      wanted,
      columns: rules.columns.length,
      delimiter: rules.delimiter.charCodeAt(0),
      longest: rules.limits.cell,
    };
  }

  // Counts one block; says whether to read on.
  take(octets) {
    const block = this.decoded(octets);
    if (!block) return false;
    const found = readCells(block, this.shape);
    if (found) this.examiner.examine(this.complete(found), this.tally, isAscii(block));
    else if (!this.broken(block)) return false;
    if (this.tally.rows > this.rules.limits.rows) throw new Declined("rows");
    return true;
  }

  decoded(octets) {
    const start = this.source.offset;
    try {
      return this.source.read(octets);
    } catch (fault) {
      if (!(fault instanceof Undecodable)) throw fault;
      let row = 0;
      for (let p = 0; p < fault.place; p++) if (octets[p] === NEWLINE) row++;
      const hint = String(start + fault.place);
      this.tally.addFault({ code: "intake/encoding", count: 1, first: [row], hint });
      return null;
    }
  }

  // What the file lacks is missing.
  complete({ records, cells }) {
    const given = new Set(this.header.places.map(([name]) => name));
    const whole = this.rules.columns.map((column, number) =>
      given.has(column.name) ? cells[number] : new Array(records).fill(null)
    );
    return { records, cells: whole };
  }

  broken(block) {
    const { records, faults } = faultsOf(block, this.shape);
    if (!faults.length) throw new Declined("doubt");
    for (const fault of faults) this.tally.addFault(fault);
    this.tally.skip(records);
    return !faults.some((fault) => STOPPING.has(fault.code));
  }

  verdict() {
    if (!this.tally.broken) {
      for (const { rule, seen } of this.examiner.whole) this.tally.addRepeated(rule, seen.repeated());
    }
    return this.tally.decide(this.header.dropped);
  }
}
