// The rows that a tab holds: the newest CAPACITY, and those of them that are
// shown, which are fewer while a narrowing is on or traces are folded.

import {LEVELS} from "./sse.js";

/** @import {Batch, Mark} from "./sse.js" */

export const CAPACITY = 100_000;
const MAX_SIZE = 256 << 20; // characters of messages and fields in them

/**
 * An entry, or a mark between entries (kind is not "").
 * @typedef {object} Row
 * @property {number} n counts all rows of this tab
 * @property {string} kind "", or drop, gap, reset, skipped
 * @property {string} id
 * @property {number} time microseconds since 1970
 * @property {number} level index of LEVELS
 * @property {string} source
 * @property {string} message
 * @property {string} fields JSON or ""
 * @property {number} count of a mark: entries lost
 * @property {string} reason of a mark
 * @property {boolean} open its details are shown
 * @property {boolean} unfolded
 * @property {Row | null} trace the row whose trace this one continues
 * @property {number} lines rows that continue this one
 * @property {boolean} gone no longer held
 * @property {number} height in pixels, 0 = not known
 * @property {number} version changes when it is to be drawn anew
 */

/** A queue with an index. @template T */
class Queue {
  constructor() {
    /** @type {(T | undefined)[]} */
    this.items = [];
    this.head = 0;
  }

  get length() { return this.items.length - this.head; }

  /** @param {number} i @returns {T} */
  at(i) { return /** @type {T} */ (this.items[this.head + i]); }

  /** @param {T} item */
  push(item) { this.items.push(item); }

  shift() {
    const item = /** @type {T} */ (this.items[this.head]);
    this.items[this.head++] = undefined; // its memory is to be free at once
    if (this.head >= 65536 && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}

// What a line begins with that belongs to the one before: a stack trace whose
// target has no multiline setting comes line by line.
const CONTINUES = /^(?:[\t ]+\S|Caused by: |\.{3} \d+ more)/;

export class Store {
  constructor() {
    /** @type {(row: Row) => boolean} */
    this.passes = () => true;
    this.narrowed = false;
    this.folding = true;
    this.paused = false;
    /** @type {Queue<Row>} */
    this.rows = new Queue();
    /** @type {Queue<Row>} */
    this.view = new Queue();
    this.next = 0;
    this.received = 0; // entries, those waiting included
    this.lost = 0;
    /** @type {number[]} */
    this.levels = LEVELS.map(() => 0);
    /** @type {Map<string, number>} */
    this.sources = new Map();
    /** @type {Map<string, Row>} */
    this.newest = new Map(); // by source
    /** @type {Batch[]} */
    this.waiting = []; // while paused
    this.waitingRows = 0;
    this.waitingSize = 0;
    this.skipped = 0; // more came while paused than is held
    this.skippedLosses = 0; // what was lost among those
    /** @type {Mark | null} */
    this.skippedMark = null; // likewise
    this.size = 0; // of the rows
  }

  clear() {
    const {passes, narrowed, folding, paused, next} = this;
    Object.assign(this, new Store(), {passes, narrowed, folding, paused, next});
  }

  /** Whether rows would have to give way to a batch. @param {Batch} batch */
  fills(batch) {
    return this.rows.length + batch.ids.length + batch.marks.length > CAPACITY || this.size + batch.size > MAX_SIZE;
  }

  /** @param {Batch} batch */
  add(batch) {
    this.received += batch.ids.length;
    if (!this.paused) {
      this.append(batch);
      return;
    }
    this.waiting.push(batch);
    this.waitingRows += batch.ids.length;
    this.waitingSize += batch.size;
    for (let b; b = this.waiting[0], b && (this.waitingRows > CAPACITY || this.waitingSize > MAX_SIZE); this.waiting.shift()) {
      this.waitingRows -= b.ids.length;
      this.waitingSize -= b.size;
      this.skipped += b.ids.length;
      for (const mark of b.marks) {
        this.skippedLosses += mark.count;
        if (mark.reason === "expired") this.skippedMark = mark; // of how many is not known
      }
    }
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    if (paused) return;
    if (this.skippedMark) this.mark(this.skippedMark);
    this.skippedMark = null;
    if (this.skippedLosses > 0) this.mark({at: 0, kind: "drop", count: this.skippedLosses, reason: "skipped"});
    if (this.skipped > 0) this.mark({at: 0, kind: "skipped", count: this.skipped, reason: ""});
    for (const batch of this.waiting) this.append(batch);
    this.waiting = [];
    this.waitingRows = this.waitingSize = this.skipped = this.skippedLosses = 0;
  }

  /** @param {Batch} b */
  append(b) {
    let m = 0;
    for (let i = 0; i < b.ids.length; i++) {
      while (m < b.marks.length && b.marks[m].at <= i) this.mark(b.marks[m++]);
      this.push({
        n: this.next++, kind: "", id: b.ids[i], time: b.times[i], level: b.levels[i], source: b.sources[i],
        message: b.messages[i], fields: b.fields[i], count: 0, reason: "",
        open: false, unfolded: false, trace: null, lines: 0, gone: false, height: 0, version: 0,
      });
    }
    while (m < b.marks.length) this.mark(b.marks[m++]);
  }

  /** @param {Mark} mark */
  mark(mark) {
    if (mark.kind !== "skipped") this.lost += mark.count;
    this.newest.clear();
    this.push({
      n: this.next++, kind: mark.kind, id: "", time: 0, level: 0, source: "", message: "", fields: "",
      count: mark.count, reason: mark.reason,
      open: false, unfolded: false, trace: null, lines: 0, gone: false, height: 0, version: 0,
    });
  }

  /** @param {Row} row */
  push(row) {
    this.rows.push(row);
    this.size += row.message.length + row.fields.length;
    if (!row.kind) {
      this.levels[row.level]++;
      this.sources.set(row.source, (this.sources.get(row.source) ?? 0) + 1);
      if (this.folding) this.fold(row);
    }
    if (this.shows(row)) this.view.push(row);
    while (this.rows.length > CAPACITY || (this.size > MAX_SIZE && this.rows.length > 1)) this.evict();
  }

  evict() {
    const row = this.rows.shift();
    if (this.view.length > 0 && this.view.at(0) === row) this.view.shift();
    this.size -= row.message.length + row.fields.length;
    row.gone = true;
    if (row.kind) return;
    this.levels[row.level]--;
    this.sources.set(row.source, (this.sources.get(row.source) ?? 1) - 1);
  }

  /** @param {Row} row */
  fold(row) {
    const before = this.newest.get(row.source);
    const head = before?.trace ?? before;
    if (head && !head.gone && row.level === 0 && CONTINUES.test(row.message)) {
      row.trace = head;
      row.trace.lines++;
      row.trace.version++;
    }
    this.newest.set(row.source, row);
  }

  /** @param {Row} row */
  shows(row) {
    if (row.kind) return true;
    if (this.narrowed) return this.passes(row);
    return !row.trace || row.trace.unfolded || row.trace.gone;
  }

  /** @param {((row: Row) => boolean) | null} passes null: every row */
  narrow(passes) {
    this.narrowed = passes !== null;
    this.passes = passes ?? (() => true);
    this.look();
  }

  /** Finds anew what is shown. */
  look() {
    this.view = new Queue();
    for (let i = 0; i < this.rows.length; i++) {
      const row = this.rows.at(i);
      if (this.shows(row)) this.view.push(row);
    }
  }

  /** The index in the view of the first row that is not before row n. @param {number} n */
  find(n) {
    let low = 0;
    for (let high = this.view.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.view.at(middle).n < n) low = middle + 1; else high = middle;
    }
    return low;
  }
}
