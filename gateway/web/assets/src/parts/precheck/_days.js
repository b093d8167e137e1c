// Real days from 1800 to 2199 in the declared forms, as days since 1970.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 24 * 3600 * 1000;

// A reader of texts: the day that one says in one of the forms, or null.
export function dayReader(forms) {
  const readers = forms.map((form) => {
    const parts = form.match(/%[dmbY]|[^%]/g);
    return (text) => readDay(text, parts);
  });
  return (text) => {
    for (const read of readers) {
      const day = read(text);
      if (day !== null) return day;
    }
    return null;
  };
}

function readDay(text, parts) {
  let p = 0;
  const found = {};
  for (const part of parts) {
    if (part.length === 1) {
      if (text[p++] !== part) return null;
      continue;
    }
    const size = { "%Y": 4, "%b": 3 }[part] || 2;
    const value = part === "%b" ? monthOf(text.slice(p, p + 3)) : number(text, p, size);
    if (value < 0) return null;
    found[part === "%b" ? "%m" : part] = value;
    p += size;
  }
  return p === text.length ? dayOf(found["%Y"], found["%m"], found["%d"]) : null;
}

function number(text, from, size) {
  let value = 0;
  for (let p = from; p < from + size; p++) {
    const digit = text.charCodeAt(p) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function monthOf(word) {
  return MONTHS.findIndex((name) => word === name || word === name.toUpperCase()) + 1 || -1;
}

function dayOf(year, month, day) {
  if (year < 1800 || year > 2199 || month < 1 || month > 12 || day < 1) return null;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const long = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day > long ? null : Date.UTC(year, month - 1, day) / DAY;
}

export const isoDay = (text) => Date.UTC(...text.split("-").map((part, n) => +part - (n === 1))) / DAY;
