// The text of a draft: the textarea becomes an editor with completion of the words that the
// documents know, and its faults are shown by line while it is written. Nothing is saved here:
// the textarea keeps the text and the form sends it. Without this script it is a plain form.
//
// The editor stands in a shadow root, so that its styles are style sheet objects: the page's
// content policy needs no exception.
import { autocompletion } from "@codemirror/autocomplete";
import { StreamLanguage } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { linter } from "@codemirror/lint";
import { EditorView, basicSetup } from "codemirror";
import { lookOf } from "./parts/_editor_look.js";
import { asks, tell } from "./parts/_text_faults.js";

const WAIT = 300;

function editorOf(form, area) {
  const place = document.createElement("div");
  place.className = "app-editor-place";
  area.before(place);
  const words = JSON.parse(form.dataset.words || "[]");
  const view = new EditorView({
    doc: area.value,
    root: place.attachShadow({ mode: "open" }),
    parent: place.shadowRoot,
    extensions: [
      basicSetup,
      lookOf(),
      StreamLanguage.define(toml),
      autocompletion({ override: [(context) => known(context, words)], icons: false }),
      linter((now) => faultsOf(form, now), { delay: WAIT }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Text (TOML)", tabindex: "0" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) area.value = update.state.doc.toString();
      }),
    ],
  });
  area.hidden = true;
  return view;
}

function known(context, words) {
  const before = context.matchBefore(/[\w-]+/);
  if (!before && !context.explicit) return null;
  return { from: before ? before.from : context.pos, options: words, validFor: /^[\w-]*$/ };
}

async function faultsOf(form, view) {
  const told = await asks(form, view.state.doc.toString());
  if (!told) return [];
  tell(told, (line) => goTo(view, line));
  return told.faults.map((fault) => {
    const line = lineOf(view, fault.line);
    return { from: line.from, to: line.to, severity: "error", message: sentence(fault) };
  });
}

function sentence(fault) {
  return [fault.sentence, fault.remedy].filter(Boolean).join(" ");
}

function lineOf(view, number) {
  return view.state.doc.line(Math.min(Math.max(1, number), view.state.doc.lines));
}

function goTo(view, number) {
  const line = lineOf(view, number);
  view.dispatch({
    selection: { anchor: line.from },
    effects: EditorView.scrollIntoView(line.from, { y: "center" }),
  });
  view.focus();
}

const form = document.querySelector("form[data-text-check]");
const area = form && form.querySelector("textarea");
if (area) {
  const view = editorOf(form, area);
  const label = form.querySelector(`label[for="${area.id}"]`);
  if (label) label.addEventListener("click", () => view.focus());
  const wanted = /^#line-(\d+)$/.exec(window.location.hash);
  if (wanted) goTo(view, Number(wanted[1]));
}
