// National and address identifiers: which texts are well formed.
const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const GAPS = new RegExp(`[${SPACE}-]+`, "g");
const OUTER = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
const UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ";
const NINO =
  /^(?:[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z]|[Qq]{2})[0-9]{6}[A-Da-d]?$/;
const NO_NINO = new Set("OO CR FY MW NC BG GB KN NK NT TN ZZ".split(" "));
const POSTCODE =
  /^(?:GIR0AA|(?:[A-PR-UWYZ](?:[0-9][0-9]?|[0-9][ABCDEFGHJKPSTUW]|[A-HK-Y][0-9][0-9]?|[A-HK-Y][0-9][ABEHMNPRVWXY]))[0-9][ABD-HJLNP-UW-Z]{2})$/;

const compact = (text) => text.replace(GAPS, "");

// The sum of digits, the last one first, each times its weight.
function weighted(digits, first, step) {
  let sum = 0;
  for (let n = 0; n < digits.length; n++) sum += +digits[digits.length - 1 - n] * (first + step * n);
  return sum;
}

function nhsNumber(text, synthetic) {
  const digits = compact(text);
  if (!/^[0-9]{10}$/.test(digits) || digits === digits[0].repeat(10)) return false;
  return weighted(digits, 1, 1) % 11 === 0 && (synthetic || !digits.startsWith("999"));
}

function upn(text) {
  const code = compact(text);
  if (!/^[A-Za-z][0-9]{12}$/.test(code)) return false;
  const letter = UPN_LETTERS.indexOf(code[0].toUpperCase());
  return letter >= 0 && weighted(code.slice(1), 13, -1) % 23 === letter;
}

function nino(text, synthetic) {
  const code = compact(text);
  if (!NINO.test(code)) return false;
  const prefix = code.slice(0, 2).toUpperCase();
  return !NO_NINO.has(prefix) && (synthetic || prefix !== "QQ");
}

function postcode(text) {
  const code = text.replace(/[^A-Za-z0-9]+/g, "").toUpperCase();
  return POSTCODE.test(code) || code.startsWith("ZZ99");
}

const uprn = (text) => /^0*[1-9][0-9]{0,11}$/.test(text.replace(OUTER, ""));

export const IDENTIFIERS = { "nhs-number": nhsNumber, upn, nino, postcode, uprn };
