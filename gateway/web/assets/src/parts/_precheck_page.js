// The upload page's part of the check before sending: starts the worker, shows how far it is and
// what it found, in the words of the page of findings. It never stops anybody from sending.

const COUNTED = 5;
const number = (value) => value.toLocaleString("en-GB");
let form, rules, worker;

const all = (name) => Array.from(form.querySelectorAll(`[data-check${name}]`));
const part = (name) => form.querySelector(`[data-check${name}]`);

// Checks each file that is chosen in this form.
export function checkBeforeSending(given) {
  form = given;
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => begin(input.files[0]));
  part("-again").addEventListener("click", () => input.click());
  begin(input.files[0]);
}

// The person decided: what is under way has no use any more.
export function stopChecking() {
  if (worker) worker.terminate();
  worker = null;
}

async function begin(file) {
  stopChecking();
  show("");
  if (!file) return;
  progress(0);
  show("checking");
  heard("Your browser is checking the file.");
  let mine = null;
  try {
    mine = worker = new Worker(form.dataset.checkWorker);
    mine.onerror = () => declined("failed");
    mine.onmessage = ({ data }) => told(data);
    rules = rules || (await fetched(form.dataset.checkRules));
    if (worker === mine) mine.postMessage({ file, rules });
  } catch {
    if (worker === mine) declined("failed");
  }
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function told(data) {
  if (data.kind === "progress") return progress(Math.floor((100 * data.read) / Math.max(1, data.size)));
  stopChecking();
  return data.kind === "verdict" ? judged(data.verdict) : declined(data.why);
}

// Every quarter is said aloud, so that a long check is not silence.
function progress(share) {
  const quarter = Math.floor(share / 25);
  if (quarter > Math.floor(part("-bar").value / 25) && quarter < 4) heard(`${quarter * 25}% checked.`);
  part("-bar").value = share;
  part("-bar").textContent = `${share}%`;
}

function heard(sentence) {
  part("-heard").textContent = sentence;
}

function declined(why) {
  stopChecking();
  const known = all("-why").map((each) => each.dataset.checkWhy);
  const reason = known.includes(why) ? why : "failed";
  for (const each of all("-why")) each.hidden = each.dataset.checkWhy !== reason;
  show("declined");
  heard(part(`="declined"`).innerText);
}

function judged(verdict) {
  const findings = verdict.findings.filter(({ code }) => !rules.verdicts.includes(code));
  if (verdict.state === "accepted" && !findings.length && !verdict.dropped_columns.length) {
    part("-rows").textContent = number(verdict.rows);
    show("clean");
    heard("Your browser found nothing wrong with this file.");
    return;
  }
  findings.sort((one, other) => other.rows - one.rows);
  for (const each of all("-count")) each.textContent = number(verdict[each.dataset.checkCount]);
  table(findings, verdict.unlisted);
  dropped(verdict.dropped_columns);
  show("found", verdict.state);
  part("-failing").hidden = verdict.state === "accepted" || !verdict.failing_rows || verdict.broken;
  heard(`${part("=found").querySelector("h2").innerText.trim()}. What is wrong is listed on this page.`);
}

function table(findings, unlisted) {
  const body = part("-table").querySelector("tbody");
  body.replaceChildren(...findings.map(row));
  part("-table").hidden = !findings.length;
  part("-unlisted").hidden = !unlisted;
  part("-unlisted").textContent = `${number(unlisted)} more findings are not listed here.`;
}

function row(found) {
  const made = part("=found").querySelector("template").content.cloneNode(true);
  const [sentence, remedy, ifRequired] = rules.words[found.code];
  const column = rules.columns.find((each) => each.name === found.column);
  const cells = {
    where: where(found),
    column: found.column,
    sentence: filled(sentence, found),
    rule: found.rule.startsWith(`${found.column}.`) ? "" : found.rule,
    remedy: column && column.required ? ifRequired : remedy,
    agreed: rules.agreed[found.column] || "",
  };
  for (const cell of made.querySelectorAll("[data-cell]")) cell.textContent = cells[cell.dataset.cell];
  for (const each of made.querySelectorAll("[data-part]")) if (!cells[each.dataset.part]) each.remove();
  return made;
}

function where({ rows, first_rows: first }) {
  if (!rows) return "The whole file";
  const named = first.slice(0, COUNTED).map(number).join(", ");
  if (!named) return `${number(rows)} row${rows > 1 ? "s" : ""}`;
  if (rows <= Math.min(first.length, COUNTED)) return `Row${rows > 1 ? "s" : ""} ${named}`;
  return `${number(rows)} rows, first ${named}`;
}

function filled(sentence, { column, rule, hint }) {
  const quoted = !column || column.startsWith("column ") ? column : `"${column}"`;
  const words = { column: quoted, rule, hint };
  return sentence.replace(/\{(column|rule|hint)\}/g, (_, name) => words[name]);
}

function dropped(names) {
  const items = names.map((name) => {
    const item = document.createElement("li");
    item.appendChild(document.createElement("span")).className = "app-code";
    item.firstChild.textContent = name;
    return item;
  });
  part("-dropped").hidden = !items.length;
  part("-dropped").querySelector("ul").replaceChildren(...items);
}

// One of checking, clean, found, declined, or nothing; `state` is the verdict's.
function show(what, state = "") {
  for (const each of form.querySelectorAll("[data-check]")) each.hidden = each.dataset.check !== what;
  for (const each of all("-state")) each.hidden = each.dataset.checkState !== state;
  const bad = state === "rejected" || state === "quarantined";
  part("-again").hidden = !bad;
  part("-send").textContent = bad ? "Send anyway" : "Send the file";
  part("-send").classList.toggle("govuk-button--secondary", bad);
}
