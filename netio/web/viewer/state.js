// What the user has asked for. All of it is in the address, so that a link or a
// bookmark shows the same; how rows look is remembered by the browser, too.

/** @typedef {[name: string, value: string]} Filter a parameter of /stream */

// The parameters of /stream that are the user's, in the order they are shown.
const FILTERS = ["level", "levels", "source", "not_source", "q", "not", "re", "not_re", "field", "since", "tail"];
const PLACES = ["since", "tail"];

export const DEFAULT_TAIL = 10000;

/** @type {Record<string, string>} */
const LOOKS = {wrap: "0", dense: "0", time: "local", hide: ""};
const STORED = "logwisp.look";

const EXCLUDES = /^[^=!<>~]+!=/; // a condition on a field with this operator

export class State {
  constructor() {
    /** @type {Filter[]} */
    this.filters = [];
    this.narrow = ""; // text that rows are narrowed to here
    this.narrowKind = "q";
    this.highlight = "";
    this.id = ""; // of the entry to show
    /** @type {Record<string, string>} */
    this.look = {...LOOKS, ...stored()};
    this.read();
  }

  /** Takes what the address says. */
  read() {
    const query = new URLSearchParams(location.search);
    this.filters = [];
    for (const name of FILTERS) for (const value of query.getAll(name)) if (value) this.filters.push([name, value]);
    this.narrow = query.get("narrow") ?? "";
    this.narrowKind = query.get("narrow_as") ?? "q";
    this.highlight = query.get("highlight") ?? "";
    this.id = query.get("id") ?? "";
    for (const name in LOOKS) this.look[name] = query.get(name) ?? this.look[name];
  }

  /** The address of this state. */
  address() {
    const query = new URLSearchParams(this.filters);
    if (this.narrow) query.set("narrow", this.narrow);
    if (this.narrow && this.narrowKind !== "q") query.set("narrow_as", this.narrowKind);
    if (this.highlight) query.set("highlight", this.highlight);
    if (this.id) query.set("id", this.id);
    for (const name in LOOKS) if (this.look[name] !== LOOKS[name]) query.set(name, this.look[name]);
    const text = query.toString();
    return text ? "?" + text : location.pathname;
  }

  /** Writes it into the address. @param {boolean} step one that Back takes back */
  write(step) {
    const address = this.address();
    if (step) history.pushState(null, "", address); else history.replaceState(null, "", address);
    try {
      localStorage.setItem(STORED, JSON.stringify(this.look));
    } catch { /* the browser keeps nothing: the address still does */ }
  }

  /** The filters, as /stream and /entries take them. */
  query() {
    return new URLSearchParams(this.filters.filter(([name]) => !PLACES.includes(name))).toString();
  }

  /** Where a stream begins. */
  place() {
    if (this.id) return "from=earliest";
    const places = this.filters.filter(([name]) => PLACES.includes(name));
    return new URLSearchParams(places.length > 0 ? places : [["tail", String(DEFAULT_TAIL)]]).toString();
  }

  /** Whether rows are chosen by more than level and source. */
  get searches() {
    return this.filters.some(([name]) => ["q", "not", "re", "not_re", "field"].includes(name));
  }

  /** @param {string} name @param {string} value */
  has(name, value) { return this.filters.some(f => f[0] === name && f[1] === value); }

  /** @param {string} name @param {string} value */
  add(name, value) {
    // Of several conditions on fields any may hold: beside another one nothing is excluded.
    const excludes = name === "field" && [value, ...this.filters.filter(f => f[0] === name).map(f => f[1])].some(v => EXCLUDES.test(v));
    if (excludes || ["level", "since", "tail"].includes(name)) this.filters = this.filters.filter(f => f[0] !== name);
    if (!this.has(name, value)) this.filters.push([name, value]);
  }

  /** @param {string} name @param {string} value */
  remove(name, value) { this.filters = this.filters.filter(f => f[0] !== name || f[1] !== value); }

  /** The levels that are chosen, none for all. */
  get levels() {
    return new Set(this.filters.filter(f => f[0] === "levels").flatMap(f => f[1].split(",")));
  }

  /** @param {string} level */
  toggleLevel(level) {
    const chosen = this.levels;
    if (!chosen.delete(level)) chosen.add(level);
    this.filters = this.filters.filter(f => f[0] !== "levels");
    if (chosen.size > 0) this.filters.push(["levels", [...chosen].join(",")]);
  }
}

/** @returns {Record<string, string>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}");
  } catch {
    return {};
  }
}

/** A glob that only this name matches. @param {string} name */
export const exactly = name => name.replace(/[\\*?[\]]/g, "\\$&");
