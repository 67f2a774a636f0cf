/** Numbers as a person reads them. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in one unit: `42s`, `3m`, `2h`, `5d`. */
export function age(milliseconds: number): string {
  const units = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "m"],
  ] as const;
  const past = Math.max(0, milliseconds);
  const unit = units.find(([length]) => past >= length);
  return unit ? `${Math.floor(past / unit[0])}${unit[1]}` : `${Math.floor(past / SECOND)}s`;
}

/** How long something took: `0.3 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 9950) return `${(Math.max(0, milliseconds) / SECOND).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / SECOND);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Decimal units, as disks and networks count them. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  return step === 0 ? `${count} B` : `${(count / 1000 ** step).toFixed(1)} ${units[step]}`;
}

/** US dollars an hour; machines that cost nothing are free. */
export function price(hourly: number): string {
  if (hourly === 0) return "free";
  return `$${hourly.toFixed(hourly < 0.1 ? 4 : 2)}/h`;
}

/** US dollars; small amounts are not nothing. */
export const money = (amount: number): string => `$${amount.toFixed(amount !== 0 && amount < 0.1 ? 4 : 2)}`;

export const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`;

/** The text in lines of at most so many columns, broken between words. */
export function wrap(text: string, columns: number): string[] {
  const [first = "", ...words] = text.split(" ");
  const lines = [first];
  for (const word of words) {
    const last = lines.at(-1) ?? "";
    if (last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Local time of day, with the day in front when it is another one. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const pad = (value: number, width = 2): string => String(value).padStart(width, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} `;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  return date.toDateString() === new Date(now).toDateString() ? time : day + time;
}

/** A bar such as `███████░░░ 12.3 MB / 45.6 MB`. */
export function bar(done: number, total: number, width = 20): string {
  const full = total === 0 ? width : Math.round((Math.min(done, total) / total) * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${bytes(done)} / ${bytes(total)}`;
}
