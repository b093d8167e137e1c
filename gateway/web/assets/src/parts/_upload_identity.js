// A file's mark for going on: a digest of all it holds, where it goes and who sends it. Size and
// time alone are not enough: another file of the same would be joined to the part that arrived.
const PIECE = 4 * 1024 * 1024;
const digest = (bytes) => crypto.subtle.digest("SHA-256", bytes);

// The name of the file stays out of it: names can be personal data.
export async function identityOf(file, { dataset, party }, told) {
  if (!window.crypto || !crypto.subtle) return `gateway:${Math.random()}`; // then nothing goes on
  const parts = [new TextEncoder().encode(["gateway", dataset, party, file.size, ""].join("\n"))];
  for (let start = 0; start < file.size; start += PIECE) {
    told(start, file.size);
    parts.push(await digest(await file.slice(start, start + PIECE).arrayBuffer()));
  }
  const whole = new Uint8Array(await digest(await new Blob(parts).arrayBuffer()));
  return `gateway:${Array.from(whole, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

// A browser refuses to read a file that was changed or moved since it was chosen.
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    await file.slice(-1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
