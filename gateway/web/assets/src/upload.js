// The upload page: sends the file in pieces by the tus protocol, with progress, and goes on where
// it stopped after a lost connection or a closed page. Before that it checks the file in the
// browser. Without scripts the form itself is sent.
import { Upload } from "tus-js-client";
import { checkBeforeSending, stopChecking } from "./parts/_precheck_page.js";

const PIECE = 4 * 1024 * 1024;
const form = document.querySelector("[data-upload]");
if (form) form.addEventListener("submit", (event) => begin(event));
if (form) checkBeforeSending(form);

const part = (name) => document.querySelector(`[data-upload-${name}]`);

function begin(event) {
  const file = form.querySelector("input[type=file]").files[0];
  if (!file || !file.size) return; // the server says what is missing
  event.preventDefault();
  stopChecking();
  show("sending");
  const upload = new Upload(file, {
    ...options(file),
    onSuccess: () => arrived(upload.url),
  });
  part("stop").onclick = () => stop(upload);
  part("go-on").onclick = () => goOn(upload);
  upload.findPreviousUploads().then((earlier) => {
    const same = earlier.find((each) => each.metadata.dataset === form.dataset.dataset);
    if (same) upload.resumeFromPreviousUpload(same);
    upload.start();
  });
}

function options(file) {
  return {
    endpoint: form.dataset.upload,
    chunkSize: PIECE,
    retryDelays: [0, 1000, 3000, 5000, 10000, 20000, 30000],
    // No file name: names of files can be personal data.
    metadata: { dataset: form.dataset.dataset },
    headers: { "X-CSRF-Token": form.querySelector("[name=csrf_token]")?.value ?? "" },
    removeFingerprintOnSuccess: true,
    fingerprint: () => identity(file),
    onProgress: (sent, total) => progress(sent, total),
    onShouldRetry: (fault) => retry(fault),
    onError: (fault) => failed(fault),
  };
}

// Known again by size, time and dataset; the name stays out of the browser's memory of it.
async function identity(file) {
  return ["gateway", form.dataset.dataset, form.dataset.party, file.size, file.lastModified].join(":");
}

function progress(sent, total) {
  const share = total ? Math.floor((100 * sent) / total) : 0;
  part("bar").value = share;
  part("bar").textContent = `${share}%`;
  say(`${share}% sent: ${size(sent)} of ${size(total)}.`, share % 10 === 0);
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const [word, unit] = bytes < 1048576 ? ["kB", 1024] : ["MB", 1048576];
  return `${(bytes / unit).toFixed(1)} ${word}`;
}

let heardLast = "";
function say(sentence, aloud) {
  part("told").textContent = sentence;
  if (aloud && sentence !== heardLast) part("heard").textContent = heardLast = sentence;
}

function retry(fault) {
  const status = fault.originalResponse ? fault.originalResponse.getStatus() : 0;
  const again = !status || status === 409 || status === 423 || status === 429 || status >= 500;
  if (again) say("The connection was lost. Trying again. Nothing that arrived is lost.", true);
  return again;
}

function failed(fault) {
  show("stopped");
  say(sentenceOf(fault), true);
}

function sentenceOf(fault) {
  try {
    const told = JSON.parse(fault.originalResponse.getBody());
    return [told.title, told.remedy].filter(Boolean).join(" ");
  } catch {
    return "The connection was lost. Nothing that arrived is lost: go on when you are online again.";
  }
}

function stop(upload) {
  upload.abort();
  show("stopped");
  say("Stopped. You can go on from here.", true);
}

function goOn(upload) {
  show("sending");
  upload.start();
}

function arrived(place) {
  say("The whole file has arrived. Opening the page of its check.", true);
  const id = place.split("/").filter(Boolean).pop();
  window.location.assign(form.dataset.then.replace("UPLOAD", encodeURIComponent(id)));
}

function show(state) {
  part("form").hidden = true;
  part("progress").hidden = false;
  part("stop").hidden = state !== "sending";
  part("go-on").hidden = state !== "stopped";
  (state === "sending" ? document.getElementById("sending") : part("go-on")).focus();
}
