// The list: of up to 100,000 rows only those in sight have elements, which are
// used again. A native scrollbar moves over a space as high as all rows would be;
// in it a window, which stays in sight, holds the elements.
//
// What is seen hangs on an anchor, the row at the top and how far it is
// scrolled out, not on the scrollbar's position: so nothing jumps when rows
// come, go, open or turn out higher than thought. The scrollbar is set after
// it.

/** @import {Store, Row} from "./store.js" */
/** @typedef {{n: number, version: number, element: HTMLElement}} Shown */

const MAX_SPACE = 8_000_000; // pixels; browsers end between 17 and 33 million
const SETTLE_MS = 150; // without scrolling, until the scrollbar is corrected

export class List {
  /**
   * @param {HTMLElement} box scrolls
   * @param {Store} store
   * @param {(element: HTMLElement, row: Row) => void} draw fills a row's element
   */
  constructor(box, store, draw) {
    this.box = box;
    this.store = store;
    this.draw = draw;
    this.space = /** @type {HTMLElement} */ (box.querySelector(".space"));
    this.window = /** @type {HTMLElement} */ (box.querySelector(".window"));
    this.rows = /** @type {HTMLElement} */ (box.querySelector(".rows"));
    /** @type {Shown[]} */
    this.shown = [];
    /** @type {HTMLElement[]} */
    this.spare = [];
    this.following = true;
    this.held = false; // not following for the sake of a row, not even while all rows are in sight
    this.anchor = {n: 0, out: 0};
    this.selected = -1; // n of a row
    this.wrap = false;
    this.open = 0; // rows that may be open
    this.rowHeight = 20;
    this.lineHeight = 20;
    this.columns = 100; // characters of a message in a line
    this.view = 0; // height of what is in sight
    this.spaceHeight = 0;
    this.scale = 1; // pixels of rows to one of the space
    this.expected = 0; // scrollTop as it was set
    this.scrolledAt = 0;
    this.settle = 0;
    this.asked = false;
    this.version = 0;
    /** Called when following begins or ends. */
    this.onFollow = () => {};
    /** Called after each drawing with the last row in sight. @type {(row: Row | null) => void} */
    this.onDraw = () => {};
    this.listen();
  }

  listen() {
    const passive = {passive: true};
    this.box.addEventListener("scroll", () => this.scrolled(), passive);
    this.box.addEventListener("wheel", e => { if (e.deltaY < 0) this.follow(false); }, passive);
    this.box.addEventListener("touchmove", () => { this.scrolledAt = Date.now(); }, passive);
    new ResizeObserver(() => this.measure()).observe(this.box);
  }

  /** Takes the sizes anew: of the box, of a row, of a character. */
  measure() {
    const probe = this.element();
    probe.className = "row probe";
    this.rows.append(probe);
    const message = probe.querySelector(".msg");
    if (message) message.textContent = "0".repeat(20);
    const range = document.createRange();
    range.selectNodeContents(message ?? probe);
    const text = range.getBoundingClientRect();
    this.rowHeight = probe.offsetHeight || this.rowHeight;
    this.lineHeight = text.height > 0 ? parseFloat(getComputedStyle(probe).lineHeight) : this.lineHeight;
    const width = probe.clientWidth - (text.left - probe.getBoundingClientRect().left) - 12;
    this.columns = Math.max(10, Math.floor(width / (text.width / 20 || 8)));
    probe.remove();
    this.view = this.box.clientHeight;
    this.window.style.height = this.view + "px";
    this.redraw();
  }

  /** Draws every row anew, as after a change of how rows look. */
  redraw() {
    this.version++;
    for (let i = 0; i < this.store.view.length; i++) this.store.view.at(i).height = 0;
    this.invalidate();
  }

  /** Draws in the next frame. */
  invalidate() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.render();
    });
  }

  /** Keeps what is in sight where it is until following begins again. */
  hold() {
    this.held = true;
    this.follow(false);
  }

  /** @param {boolean} on */
  follow(on) {
    this.invalidate();
    if (on) this.held = false;
    if (this.following === on) return;
    this.following = on;
    this.onFollow();
  }

  /** @param {Row} row */
  height(row) {
    if (row.height > 0) return row.height;
    if (!this.wrap || row.kind) return this.rowHeight;
    const length = Math.min(row.message.length + row.fields.length, 2000);
    return this.rowHeight + (Math.ceil(length / this.columns) - 1) * this.lineHeight * Number(length > 0);
  }

  get uniform() { return !this.wrap && this.open === 0; }

  /** The height of the first count rows of the view. @param {number} count */
  offset(count) {
    if (this.uniform) return count * this.rowHeight;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.height(this.store.view.at(i));
    return sum;
  }

  /** Moves what is in sight. @param {number} pixels */
  move(pixels) {
    const view = this.store.view;
    let i = this.store.find(this.anchor.n);
    let out = this.anchor.out + pixels;
    while (out < 0 && i > 0) out += this.height(view.at(--i));
    while (i + 1 < view.length && out >= this.height(view.at(i))) out -= this.height(view.at(i++));
    this.anchor = {n: view.length > 0 ? view.at(i).n : 0, out: Math.max(0, out)};
  }

  scrolled() {
    const top = this.box.scrollTop;
    const delta = top - this.expected;
    if (Math.abs(delta) < 1) return;
    this.expected = top;
    this.scrolledAt = Date.now();
    const end = this.box.scrollHeight - this.view;
    if (top >= end - 1) {
      this.follow(true);
      return;
    }
    if (delta < 0) this.follow(false);
    if (top <= 0) this.anchor = {n: 0, out: 0};
    else if (Math.abs(delta) < 2 * this.view) this.move(delta);
    else {
      this.anchor = {n: 0, out: 0};
      this.move(top * this.scale);
    }
    this.render();
  }

  /** @param {number} n of the row to show: whole, if it is not; in the middle, if it is out of sight */
  reveal(n) {
    const row = this.shown.find(s => s.n === n)?.element.getBoundingClientRect();
    const box = this.box.getBoundingClientRect();
    if (row && row.top >= box.top && row.bottom <= box.bottom) return;
    this.hold();
    const below = row && row.top >= box.top && row.height < box.height;
    this.anchor = {n, out: 0};
    if (below) this.move(row.height - box.height);
    else if (!row) this.move(-this.view / 2);
    this.render();
  }

  top() {
    this.follow(false);
    this.anchor = {n: 0, out: 0};
    this.invalidate();
  }

  render() {
    const view = this.store.view;
    // Heights that were only thought may turn out less, and leave a space.
    let height = 0;
    for (let pass = 0; pass < 5; pass++) {
      if (this.following) this.anchorAtEnd();
      height = this.place();
      if (height - this.anchor.out >= this.view) break;
      if (this.following && this.store.find(this.anchor.n) === 0) break;
      if (this.following || !this.atEnd) continue;
      if (!this.held) this.follow(true);
      else this.anchorAtEnd();
    }
    const y = this.following ? Math.min(0, this.view - height) : -this.anchor.out;
    this.rows.style.transform = `translateY(${y}px)`;
    if (this.following) this.anchor.out = -y;
    this.sync(this.offset(view.length));
    this.onDraw(this.shown.length > 0 ? view.at(this.store.find(this.shown[this.shown.length - 1].n)) : null);
  }

  /** Whether the last row has an element. */
  get atEnd() {
    const view = this.store.view;
    return view.length === 0 || this.shown[this.shown.length - 1]?.n === view.at(view.length - 1).n;
  }

  /** Puts the anchor where the last row ends at the lower edge. */
  anchorAtEnd() {
    const view = this.store.view;
    let i = view.length;
    let height = 0;
    while (i > 0 && height < this.view) height += this.height(view.at(--i));
    this.anchor = {n: view.length > 0 ? view.at(i).n : 0, out: Math.max(0, height - this.view)};
  }

  /** Gives the rows in sight elements and returns how high these are. */
  place() {
    const view = this.store.view;
    const i = this.store.find(this.anchor.n);
    if (i < view.length && view.at(i).n !== this.anchor.n) this.anchor = {n: view.at(i).n, out: 0};
    const rows = [];
    let height = 0;
    for (let k = i; k < view.length && height - this.anchor.out < this.view; k++) {
      rows.push(view.at(k));
      height += this.height(view.at(k));
    }
    this.keep(rows);
    if (this.uniform) return height;
    rows.forEach((row, k) => { row.height = this.shown[k].element.offsetHeight; });
    return this.rows.offsetHeight;
  }

  /**
   * Has these rows shown, and no others. A row that was shown keeps its element,
   * with the focus and the selection in it; the others take what is left, where
   * it is.
   * @param {Row[]} rows
   */
  keep(rows) {
    const wanted = new Set(rows.map(row => row.n));
    /** @type {Map<number, Shown>} */
    const old = new Map();
    /** @type {Set<Element>} */
    const free = new Set();
    for (const s of this.shown) if (wanted.has(s.n)) old.set(s.n, s); else free.add(s.element);
    for (const element of free) if (element.contains(document.activeElement)) this.box.focus({preventScroll: true});
    let next = this.rows.firstElementChild;
    this.shown = rows.map(row => {
      let s = old.get(row.n);
      if (s) {
        while (next && next !== s.element) next = next.nextElementSibling;
      } else {
        const element = next && free.has(next) ? next : [...free][0] ?? this.element();
        free.delete(element);
        if (element !== next) this.rows.insertBefore(element, next);
        s = {n: row.n, version: -1, element: /** @type {HTMLElement} */ (element)};
      }
      next = s.element.nextElementSibling;
      const version = row.version + this.version * 1e6 + (row.n === this.selected ? 0.5 : 0);
      if (s.version !== version) this.draw(s.element, row);
      s.version = version;
      return s;
    });
    for (const element of free) {
      element.remove();
      this.spare.push(/** @type {HTMLElement} */ (element));
    }
  }

  /** @returns {HTMLElement} */
  element() {
    return this.spare.pop() ?? /** @type {HTMLElement} */ (
      /** @type {HTMLTemplateElement} */ (document.getElementById("row")).content.firstElementChild?.cloneNode(true));
  }

  /** Sets the scrollbar after what is in sight. @param {number} total */
  sync(total) {
    const space = Math.min(Math.max(total, this.view), MAX_SPACE);
    this.scale = total > this.view && space > this.view ? (total - this.view) / (space - this.view) : 1;
    if (space !== this.spaceHeight) {
      const before = space < this.spaceHeight ? this.box.scrollTop : 0;
      this.space.style.height = space + "px";
      if (space < this.spaceHeight) this.expected += this.box.scrollTop - before; // it cannot be beyond the end
      this.spaceHeight = space;
    }
    if (!this.following && Date.now() - this.scrolledAt < SETTLE_MS) {
      clearTimeout(this.settle);
      this.settle = setTimeout(() => this.invalidate(), SETTLE_MS);
      return;
    }
    const top = this.following ? space - this.view : (this.offset(this.store.find(this.anchor.n)) + this.anchor.out) / this.scale;
    if (Math.abs(top - this.expected) < 1) return;
    this.box.scrollTop = top; // the one layout of a frame
    this.expected = this.following ? top : this.box.scrollTop;
  }
}
