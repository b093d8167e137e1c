// How the editor looks: the Design System's colours. Faults are underlined by the browser, not by
// the library's pictures, so that no image has to be let in.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "codemirror";
import { tags } from "@lezer/highlight";

const underlined = (colour) => ({
  backgroundImage: "none",
  textDecoration: `underline wavy ${colour}`,
  textUnderlineOffset: "3px",
});

export function lookOf() {
  const look = EditorView.theme({
    "&": { border: "2px solid #0b0c0c", height: "34em", fontSize: "16px", backgroundColor: "#fff" },
    "&.cm-focused": { outline: "3px solid #ffdd00", boxShadow: "inset 0 0 0 2px #0b0c0c" },
    ".cm-scroller": {
      fontFamily: 'ui-monospace, menlo, consolas, "dejavu sans mono", monospace',
      lineHeight: "1.5",
      overflow: "auto",
    },
    ".cm-gutters": { backgroundColor: "#f3f2f1", color: "#484949", borderRight: "1px solid #cecece" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "rgba(20, 80, 92, 0.08)" },
    ".cm-lintRange-error": underlined("#ca3535"),
    ".cm-lintRange-warning": underlined("#f47738"),
    ".cm-lintPoint:after": { display: "none" },
    ".cm-tooltip": { border: "1px solid #0b0c0c", maxWidth: "40em" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "#14505c" },
    ".cm-completionDetail": { fontStyle: "normal", color: "inherit", opacity: "1" },
    ".cm-diagnostic-error": { borderLeftColor: "#ca3535" },
  });
  const colours = HighlightStyle.define([
    { tag: tags.comment, color: "#484949", fontStyle: "italic" },
    { tag: tags.propertyName, color: "#14505c" },
    { tag: tags.string, color: "#005a30" },
    { tag: tags.number, color: "#54319f" },
    { tag: tags.atom, color: "#54319f" },
    { tag: tags.heading, fontWeight: "bold" },
  ]);
  return [look, syntaxHighlighting(colours)];
}
