// Asking the server what is wrong with a text, and saying it in the list above the text.
export async function asks(form, text) {
  const sent = new URLSearchParams(new FormData(form));
  sent.set("text", text);
  sent.delete("reason");
  try {
    const answer = await fetch(form.dataset.textCheck, {
      method: "POST",
      body: sent,
      credentials: "same-origin",
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the connection is away; the next change asks again
  }
}

const MOST = 50;

export function tell(told, goTo) {
  const place = document.querySelector("[data-text-faults]");
  if (!place) return;
  const made = told.faults.length
    ? [heading("What stops it"), list(told.faults.slice(0, MOST).map((each) => faultItem(each, goTo)))]
    : [heading("What it changes"), changes(told.changes)];
  place.replaceChildren(...made);
}

function heading(text) {
  return element("h2", { className: "govuk-heading-m", textContent: text });
}

function changes(sentences) {
  if (!sentences.length) {
    return element("p", {
      className: "govuk-body",
      textContent: "Nothing differs from what is there now.",
    });
  }
  return list(sentences.map((each) => element("li", { textContent: each.replaceAll("*", "") })));
}

function list(items) {
  const made = element("ul", { className: "govuk-list govuk-list--bullet" });
  made.append(...items);
  return made;
}

function faultItem(fault, goTo) {
  const item = element("li", { id: `line-${fault.line}` });
  const link = element("a", {
    className: "govuk-link",
    href: `#line-${fault.line}`,
    textContent: `Line ${fault.line}.`,
  });
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(fault.line);
  });
  item.append(link, ` ${[fault.sentence, fault.remedy].filter(Boolean).join(" ")}`);
  return item;
}

function element(name, parts) {
  return Object.assign(document.createElement(name), parts);
}
