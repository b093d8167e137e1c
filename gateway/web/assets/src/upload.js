// The upload page: sends the file in pieces by the tus protocol, with progress, and goes on where
// it stopped after a lost connection or a closed page. Before that it checks the file in the
// browser. Without scripts the form itself is sent.
import { Upload } from "tus-js-client";
import { checkBeforeSending, stopChecking } from "./parts/_precheck_page.js";
import { CHANGED, mayPass, statusOf, stopped, waiting } from "./parts/_upload_faults.js";
import { identityOf, isReadable } from "./parts/_upload_identity.js";

const TOKEN = "X-CSRF-Token";
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
  send(file).catch(() => changed());
}

async function send(file) {
  show("reading");
  const mark = await markOf(file);
  show("sending");
  const upload = new Upload(file, {
    ...options(file, mark),
    onShouldRetry: (fault) => retry(fault, file, upload),
    onSuccess: () => arrived(upload.url),
  });
  part("stop").onclick = () => stop(upload);
  part("go-on").onclick = () => goOn(upload, file, mark).catch(() => changed(upload));
  const [same] = await upload.findPreviousUploads();
  if (same) upload.resumeFromPreviousUpload(same);
  upload.start();
}

function markOf(file) {
  return identityOf(file, form.dataset, (read, total) => say(`Reading your file: ${size(read)} of ${size(total)}.`));
}

function options(file, mark) {
  return {
    endpoint: form.dataset.upload,
    chunkSize: PIECE,
    retryDelays: [0, 1000, 3000, 5000, 10000, 20000, 30000],
    // No file name: names of files can be personal data.
    metadata: { dataset: form.dataset.dataset },
    headers: { [TOKEN]: form.querySelector("[name=csrf_token]")?.value ?? "" },
    removeFingerprintOnSuccess: true,
    fingerprint: async () => mark,
    onProgress: (sent, total) => progress(sent, total),
    onError: (fault) => failed(fault),
  };
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

function retry(fault, file, upload) {
  if (!mayPass(fault)) return false;
  say(waiting(fault), true);
  // To the browser a file that was changed looks like a lost connection.
  if (!statusOf(fault)) isReadable(file).then((is) => is || changed(upload));
  return true;
}

function failed(fault) {
  show("stopped");
  part("sign-in").hidden = statusOf(fault) !== 401;
  say(stopped(fault), true);
}

function changed(upload) {
  if (upload) upload.abort();
  show("over");
  say(CHANGED, true);
}

function stop(upload) {
  upload.abort();
  show("stopped");
  say("Stopped. You can go on from here.", true);
}

// The file may be another by now, and somebody may have signed in anew: both are looked at first.
async function goOn(upload, file, mark) {
  show("reading");
  if ((await markOf(file)) !== mark) return send(file);
  const token = await freshToken();
  if (token) upload.options.headers[TOKEN] = token;
  show("sending");
  upload.start();
}

async function freshToken() {
  try {
    const page = await (await fetch(window.location.pathname, { credentials: "same-origin" })).text();
    const found = new DOMParser().parseFromString(page, "text/html");
    return found.querySelector("[data-upload] [name=csrf_token]")?.value;
  } catch {
    return "";
  }
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
  part("sign-in").hidden = true;
  (state === "stopped" ? part("go-on") : document.getElementById("sending")).focus();
}
