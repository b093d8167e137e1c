// A part of a page that changes while work goes on (data-live="seconds") is fetched anew and put
// in place; when the server says the work is over (data-live-over) the whole page is loaded once.
// Without scripts the page's own refresh does the same.
export function renewLiveParts() {
  const part = document.querySelector("[data-live]");
  if (part) setTimeout(() => renew(part), wait(part));
}

function wait(part) {
  return 1000 * Math.max(1, Number(part.dataset.live) || 2);
}

async function renew(part) {
  const fresh = await latest();
  if (fresh === "over") {
    window.location.reload();
    return;
  }
  if (fresh) {
    if (fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
    announce(part);
  }
  setTimeout(() => renew(part), fresh ? wait(part) : 3 * wait(part));
}

async function latest() {
  try {
    const answer = await fetch(window.location.href, {
      headers: { "X-Requested-With": "live" },
      credentials: "same-origin",
    });
    if (!answer.ok) return "over";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[data-live]") || "over";
  } catch {
    return null; // the connection is away; the next try may find it
  }
}

// The one sentence that a screen reader should hear, and only when it changes.
function announce(part) {
  const heard = document.querySelector("[data-live-heard]");
  const told = part.querySelector("[data-live-told]");
  if (heard && told && heard.textContent !== told.textContent) heard.textContent = told.textContent;
}
