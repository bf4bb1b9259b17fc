// Reads Server-Sent Events into batches: columns, because they cross from the
// worker to the page much faster than an object for each entry.

/**
 * A loss, or another thing to know, at its place in the stream.
 * @typedef {{at: number, kind: string, count: number, reason: string}} Mark at: index of the entry before which it stands
 *
 * @typedef {object} Batch
 * @property {string[]} ids
 * @property {number[]} times microseconds since 1970
 * @property {number[]} levels indexes of LEVELS
 * @property {string[]} sources
 * @property {string[]} messages
 * @property {string[]} fields JSON as it came, "" for none
 * @property {Mark[]} marks
 * @property {number} size characters of all that
 */

export const LEVELS = ["unknown", "trace", "debug", "info", "warn", "error", "fatal"];
const LEVEL_INDEX = new Map(LEVELS.map((name, i) => [name, i]));

/** @returns {Batch} */
export const emptyBatch = () => ({ids: [], times: [], levels: [], sources: [], messages: [], fields: [], marks: [], size: 0});

/** One batch of several, which may be of one tab's each: they stay as they are. @param {Batch[]} batches */
export function join(batches) {
  const all = emptyBatch();
  for (const b of batches) {
    const at = all.ids.length;
    for (const column of /** @type {const} */ (["ids", "times", "levels", "sources", "messages", "fields"])) {
      for (const value of b[column]) /** @type {(string | number)[]} */ (all[column]).push(value);
    }
    for (const mark of b.marks) all.marks.push({...mark, at: at + mark.at});
    all.size += b.size;
  }
  return all;
}

export class Parser {
  /** @param {(name: string, data: any) => void} onEvent for named events other than losses */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.batch = emptyBatch();
    this.lastID = ""; // of the last event that was complete: behind it a stream goes on
    this.rest = "";
    this.id = "";
    this.event = "";
    this.data = "";
    this.second = ""; // of the last time, and what it is
    this.secondMicros = 0;
  }

  /** @param {string} text as it comes, cut anywhere */
  feed(text) {
    this.rest += text;
    let start = 0;
    for (let end; (end = this.rest.indexOf("\n", start)) >= 0; start = end + 1) this.line(this.rest.slice(start, end));
    this.rest = this.rest.slice(start);
  }

  /** Forgets what has come of an event: the rest of it will not. */
  cut() { this.rest = this.id = this.event = this.data = ""; }

  /** What has come since the last call. */
  take() {
    const batch = this.batch;
    this.batch = emptyBatch();
    return batch;
  }

  /** @param {string} line */
  line(line) {
    if (line.startsWith("data: ")) this.data = line.slice(6);
    else if (line.startsWith("id: ")) this.id = line.slice(4);
    else if (line.startsWith("event: ")) this.event = line.slice(7);
    else if (line === "") this.dispatch();
  }

  dispatch() {
    if (this.id) this.lastID = this.id;
    if (this.event) this.control(this.event, JSON.parse(this.data));
    else if (this.data && !this.data.startsWith('{"type":')) this.entry(this.data); // else a heartbeat
    this.id = this.event = this.data = "";
  }

  /**
   * @param {string} name
   * @param {any} data
   */
  control(name, data) {
    const mark = {at: this.batch.ids.length, kind: name, count: data.count ?? data.missed ?? 0, reason: data.reason ?? ""};
    if (name === "drop" || name === "gap" || name === "reset") this.batch.marks.push(mark);
    else this.onEvent(name, data);
  }

  /**
   * The keys come in a fixed order, fields last. They stay text: numbers keep
   * all their digits, and most rows are never looked at.
   * @param {string} line
   */
  entry(line) {
    const at = line.indexOf(',"fields":{');
    const head = JSON.parse(at < 0 ? line : line.slice(0, at) + "}");
    const b = this.batch;
    b.size += line.length;
    b.ids.push(this.id);
    b.times.push(this.micros(head.time));
    b.levels.push(LEVEL_INDEX.get(head.level) ?? 0);
    b.sources.push(head.source);
    b.messages.push(head.message);
    b.fields.push(at < 0 ? "" : line.slice(at + 10, -1));
  }

  /** @param {string} time RFC 3339 in UTC with six fraction digits */
  micros(time) {
    const second = time.slice(0, 19);
    if (second !== this.second) {
      this.second = second;
      this.secondMicros = Date.parse(second + "Z") * 1000;
    }
    return this.secondMicros + Number(time.slice(20, 26));
  }
}
