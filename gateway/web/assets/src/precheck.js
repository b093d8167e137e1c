// The worker of the upload page: checks one file by the rules of its contract. It asks nothing of
// any server, keeps nothing, and answers with counts and row numbers, never a value.
import { Declined } from "./parts/precheck/_bytes.js";
import { check } from "./parts/precheck/_check.js";

self.onmessage = async ({ data: { file, rules } }) => {
  const onRead = (read) => self.postMessage({ kind: "progress", read, size: file.size });
  try {
    self.postMessage({ kind: "verdict", verdict: await check(file, rules, onRead) });
  } catch (fault) {
    // A fault of ours is a reason to say nothing of the file, not to stop anybody.
    self.postMessage({ kind: "declined", why: fault instanceof Declined ? fault.message : "failed" });
  }
};
