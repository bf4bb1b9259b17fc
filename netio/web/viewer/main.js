// Joins the parts: the stream fills the store, the store is listed, the user's
// wishes become filters.

import {byID, part} from "./dom.js";
import {FilterBox, expression, narrowing} from "./filters.js";
import {List} from "./list.js";
import {Login} from "./login.js";
import {Panel} from "./panel.js";
import {drawRow} from "./row.js";
import {State} from "./state.js";
import {Status} from "./status.js";
import {Store} from "./store.js";
import {Stream} from "./stream.js";
import {actions} from "./actions.js";
import {bindKeys} from "./keys.js";
import {format} from "./time.js";

/** @import {Batch} from "./sse.js" */
/** @import {StreamState} from "./worker.js" */
/** @import {Row} from "./store.js" */

const MISSING_MS = 2500; // without the entry that is wanted, until that is said

export class Viewer {
  constructor() {
    this.state = new State();
    this.store = new Store();
    this.now = Date.now();
    /** @type {RegExp | null} */
    this.highlight = null;
    this.wanted = ""; // id of the entry to show as soon as it is there
    /** @type {Row | null} */
    this.linked = null; // the entry of the address, once it is there
    this.opened = 0; // when the stream was asked for
    this.stale = false; // what is shown is of the stream before
    this.seen = 0; // entries received when following ended
    this.list = new List(byID("list"), this.store, (element, row) => {
      drawRow(element, row, row.n === this.list.selected, {time: this.state.look.time, highlight: this.highlight, now: this.now});
      if (part(element, "time").textContent.length > 13) byID("list").classList.add("days");
    });
    this.panel = new Panel(this.state, this.store);
    this.status = new Status(this);
    this.box = new FilterBox(this.state, {
      narrow: () => { this.narrow(); this.state.write(false); },
      filter: () => this.refilter(),
      say: text => this.status.say(text),
    });
    this.stream = new Stream(batch => this.receive(batch), state => this.connected(state));
    this.list.onFollow = () => this.followed();
    this.login = new Login(() => {
      this.open();
      this.panel.load();
    });
  }

  start() {
    bindKeys(this);
    addEventListener("popstate", () => {
      this.state.read();
      this.open();
    });
    this.open();
    this.panel.load();
    setInterval(() => this.tick(), 1000);
  }

  /** Opens the stream that the state asks for, and shows all of the state. */
  open() {
    this.wanted = this.state.id;
    this.linked = null;
    this.opened = Date.now();
    this.box.show();
    this.showLook();
    this.store.folding = !this.state.searches;
    this.stale = true;
    if (this.store.paused) this.pause(false);
    this.stream.open(this.state.query(), this.state.place());
    this.list.follow(true);
    this.narrow();
    this.mark();
    this.panel.show();
    const query = this.state.query();
    for (const a of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-download]"))) {
      a.href = `entries?${query && query + "&"}format=${a.dataset.download}&download=1&limit=1000000000`;
    }
  }

  /** After a change of the filters. */
  refilter() {
    this.state.id = "";
    this.state.write(true);
    this.open();
  }

  /** @param {StreamState} s */
  connected(s) {
    this.status.connection(s);
    if (s.code === 401) this.login.ask();
    if ((s.state === "live" || s.state === "refused") && this.stale) this.refresh();
  }

  /** The new stream has begun: what was shown gives way. */
  refresh() {
    this.stale = false;
    this.store.clear();
    this.list.open = 0;
    this.list.selected = -1;
    this.list.follow(true);
    this.seen = 0;
    this.status.opened();
  }

  /** @param {Batch} batch */
  receive(batch) {
    if (this.stale) this.refresh();
    if (this.linked && this.store.fills(batch) && !this.store.paused) this.keepLinked();
    this.store.add(batch);
    if (this.wanted) this.find();
    this.list.invalidate();
    this.status.received(batch.ids.length);
  }

  /** Shows the entry that is wanted, if it has come. */
  find() {
    const rows = this.store.rows;
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = rows.at(i);
      if (row.id !== this.wanted) continue;
      this.wanted = "";
      this.linked = row;
      if (row.trace) this.unfold(row.trace, true);
      this.toggle(row, true);
      this.select(row);
      return;
    }
  }

  /** The entry of the address stays while it is open, instead of giving way to newer ones. */
  keepLinked() {
    if (this.linked?.open) {
      this.pause(true);
      this.status.say("Paused, so that the entry of this address stays");
    }
    this.linked = null;
  }

  /** @param {boolean} on */
  pause(on) {
    this.store.pause(on);
    byID("pause").ariaPressed = String(on);
    byID("pause").textContent = on ? "Resume" : "Pause";
    this.list.invalidate();
    this.status.soon();
  }

  followed() {
    this.seen = this.store.received;
    if (this.list.following && this.state.id && !this.wanted) {
      this.state.id = "";
      this.state.write(false);
    }
    if (this.list.following) this.linked = null;
    this.status.soon();
  }

  /** Applies the narrowing to the rows that are here. */
  narrow() {
    const {passes, error} = narrowing(this.state.narrowKind, this.state.narrow);
    this.box.complain(error);
    if (!error) this.store.narrow(passes);
    this.list.held = false;
    this.mark();
    this.status.soon();
  }

  /** Takes up what is to be marked: the highlight, else what rows are narrowed to. */
  mark() {
    const {highlight, narrow, narrowKind} = this.state;
    const own = narrowKind === "q" ? narrow : narrowKind === "re" && narrow ? `/${narrow}/` : "";
    this.highlight = expression(highlight) ?? expression(own);
    /** @type {HTMLInputElement} */ (byID("highlight")).value = highlight;
    this.list.redraw();
  }

  /** Shows how rows are to look. */
  showLook() {
    const {look} = this.state;
    const hidden = look.hide.split(",");
    byID("list").className = [
      look.wrap === "1" ? "wrap" : "", look.dense === "1" ? "dense" : "", "time-" + look.time, ...hidden.filter(Boolean).map(c => "hide-" + c),
    ].join(" ");
    for (const e of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-look]"))) {
      e.checked = look[e.dataset.look ?? ""] === e.value;
    }
    for (const e of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-column]"))) {
      e.checked = !hidden.includes(e.dataset.column ?? "");
    }
    this.list.wrap = look.wrap === "1";
    this.list.measure();
  }

  /** @param {string} name @param {string} value */
  setLook(name, value) {
    this.state.look[name] = value;
    this.state.write(false);
    this.showLook();
  }

  /** @param {Row} row */
  select(row) {
    this.list.selected = row.n;
    this.list.reveal(row.n);
    this.list.render();
    this.list.shown.find(s => s.n === row.n)?.element.focus({preventScroll: true});
  }

  /** Opens a row or closes it. @param {Row} row @param {boolean} [open] */
  toggle(row, open = !row.open) {
    if (row.kind || row.open === open) return;
    row.open = open;
    row.height = 0;
    row.version++;
    if (open) {
      this.list.open++;
      this.list.hold();
    } else this.list.held = false;
    this.list.render();
    if (open) this.list.reveal(row.n);
  }

  /** @param {Row} row @param {boolean} [open] */
  unfold(row, open = !row.unfolded) {
    if (row.lines === 0) {
      this.toggle(row);
      return;
    }
    row.unfolded = open;
    row.version++;
    this.list.hold();
    this.store.look();
    this.list.invalidate();
  }

  /** Once a second. */
  tick() {
    this.now = Date.now();
    this.status.tick();
    if (this.wanted && this.now - this.opened > MISSING_MS) {
      this.opened = Infinity; // say it once; it may still come
      this.status.say("The entry of this address is no longer held, or does not pass the filters");
    }
    if (this.state.look.time === "age" && document.visibilityState === "visible" && this.store.rows.length > 0) {
      for (const s of this.list.shown) { // not drawn anew: somebody may read on in one that is open
        const row = this.store.view.at(this.store.find(s.n));
        if (row?.n === s.n && !row.kind) part(s.element, "time").textContent = format(row.time, "age", this.now);
      }
    }
  }
}

const viewer = new Viewer();
actions(viewer);
viewer.start();
