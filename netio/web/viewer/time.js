// Times as they are shown.

/** @param {number} n @param {number} [digits] */
const pad = (n, digits = 2) => String(n).padStart(digits, "0");

/** As in an entry: UTC with six fraction digits. @param {number} micros */
export function iso(micros) {
  const d = new Date(Math.floor(micros / 1000));
  return d.toISOString().slice(0, -1) + pad(micros % 1000, 3) + "Z";
}

/**
 * @param {number} micros
 * @param {string} mode local, utc or age
 * @param {number} now milliseconds
 */
export function format(micros, mode, now) {
  const ms = Math.floor(micros / 1000);
  if (mode === "age") return age(now - ms);
  // What a clock on the wall of the zone shows, read as if it were UTC.
  const wall = mode === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60000;
  const today = mode === "utc" ? now : now - new Date(now).getTimezoneOffset() * 60000;
  const d = new Date(wall);
  const clock = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}.${pad(d.getUTCMilliseconds(), 3)}`;
  if (Math.floor(wall / 86400000) === Math.floor(today / 86400000)) return clock;
  return `${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())} ${clock}`;
}

/** How long ago, to the millisecond as long as that says something. @param {number} ms */
function age(ms) {
  const sign = ms < 0 ? "+" : "−";
  const t = Math.abs(ms);
  if (t < 60000) return `${sign}${(t / 1000).toFixed(3)} s`;
  if (t < 3600000) return `${sign}${Math.floor(t / 60000)}:${pad(Math.floor(t / 1000) % 60)}.${pad(t % 1000, 3)}`;
  const hours = `${Math.floor(t / 3600000) % 24}:${pad(Math.floor(t / 60000) % 60)}:${pad(Math.floor(t / 1000) % 60)}`;
  return t < 86400000 ? sign + hours : `${sign}${Math.floor(t / 86400000)} d ${hours}`;
}
