// What is said about the stream: the line at the bottom, the button for what is
// new, the title, and what stands in the place of rows when there are none.

import {byID, count, part} from "./dom.js";
import {CAPACITY} from "./store.js";

/** @import {Viewer} from "./main.js" */
/** @import {StreamState} from "./worker.js" */

const COUNTS_MS = 200; // between two drawings of counts
const EMPTY_MS = 300; // without a row, until that is said

export class Status {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {StreamState} */
    this.stream = {kind: "stream", state: "connecting", error: "", retry: 0};
    this.unread = 0; // entries that came while the tab was hidden
    this.second = 0; // entries in this second
    this.rate = 0;
    this.timer = 0;
    this.saying = 0;
    this.emptySince = Date.now();
    this.cleared = false;
    document.addEventListener("visibilitychange", () => {
      this.unread = 0;
      this.soon();
    });
  }

  /** @param {StreamState} s */
  connection(s) {
    const before = this.stream.state;
    this.stream = s;
    this.show();
    if (before === "live" && s.state === "waiting") this.say("Connection lost, reconnecting");
    if (before === "waiting" && s.state === "live") this.say("Connected again");
  }

  /** @param {number} entries */
  received(entries) {
    this.second += entries;
    if (document.visibilityState === "hidden") this.unread += entries;
    this.soon();
  }

  /** Another stream has begun. */
  opened() {
    this.emptySince = Date.now();
    this.cleared = false;
    setTimeout(() => this.soon(), EMPTY_MS);
  }

  /** Draws soon, and not too often. */
  soon() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.show();
    }, COUNTS_MS);
  }

  tick() {
    if (this.second === 0 && this.rate === 0 && this.stream.state !== "waiting") return;
    this.rate = this.second;
    this.second = 0;
    this.show();
  }

  /** Says something in the status line, and to screen readers. @param {string} text */
  say(text) {
    byID("said").textContent = text;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { byID("said").textContent = ""; }, 4000);
  }

  show() {
    const {store, list, panel} = this.viewer;
    document.title = (this.unread > 0 ? `(${count(this.unread)}) ` : "") + "LogWisp";
    this.showConnection();
    byID("rate").textContent = `${count(this.rate)} lines/s`;
    const held = store.rows.length;
    const fill = byID("fill");
    /** @type {HTMLMeterElement} */ (fill.querySelector("meter")).value = held;
    part(fill, "span").textContent = store.narrowed
      ? `${count(store.view.length)} shown of ${count(held)}` : `${count(held)} of ${count(CAPACITY)}`;
    byID("lost").hidden = store.lost === 0;
    byID("lost").textContent = `${count(store.lost)} lost`;
    const fresh = store.received - this.viewer.seen;
    const newer = byID("newer");
    newer.hidden = !store.paused && list.following;
    newer.textContent = store.paused ? `Paused · ${count(store.waitingRows + store.skipped)} new · resume` : fresh > 0 ? `↓ ${count(fresh)} new` : "↓ Follow";
    this.showEmpty();
    panel.show();
  }

  showConnection() {
    const {state, error, retry} = this.stream;
    const e = byID("connection");
    e.dataset.state = this.viewer.store.paused && state === "live" ? "paused" : state;
    const left = Math.max(0, Math.ceil((retry - Date.now()) / 1000));
    const text = {
      connecting: "Connecting", live: this.viewer.store.paused ? "Paused" : "Live",
      waiting: `Reconnecting in ${left} s`, refused: error, parked: "Parked: more than four tabs are live",
    }[state];
    const span = part(e, "span");
    if (span.textContent !== text) span.textContent = text;
    e.title = error;
  }

  showEmpty() {
    const {store, state, panel} = this.viewer;
    const none = store.view.length === 0 && this.stream.state !== "connecting";
    if (!none) this.emptySince = Date.now();
    const box = byID("empty");
    const hidden = !none || (Date.now() - this.emptySince < EMPTY_MS && this.stream.state === "live");
    if (none && hidden) setTimeout(() => this.soon(), EMPTY_MS);
    box.hidden = hidden;
    if (hidden) return;
    const refused = this.stream.state === "refused";
    const filtered = state.filters.length > 0;
    const [title, text] = refused && this.stream.code === 401 ? ["A token is needed", "Reload the page to be asked again."]
      : refused ? ["The server does not take this filter", this.stream.error]
      : store.rows.length > 0 ? ["No row here matches", `None of the ${count(store.rows.length)} rows here. Press Enter to have the server look through all it holds.`]
      : filtered ? ["Nothing passes the filters yet", "What does will show here, live."]
      : this.cleared ? ["Cleared", "The next line will show here, live."]
      : ["Waiting for the first line", panel.files.length > 0
        ? "LogWisp follows its files and shows each new line here, live. Write one to see it come:"
        : "LogWisp has no file to follow yet. Write one where it looks, unless told otherwise *.log in the directory it was started in:"];
    const file = panel.files[0]?.path ?? "app.log";
    const line = `echo "$(date '+%Y-%m-%d %H:%M:%S') INFO hello from LogWisp" >> ${/^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`}`;
    part(box, "h2").textContent = title;
    part(box, "p").textContent = text;
    byID("try").hidden = refused || filtered || store.rows.length > 0 || this.cleared;
    part(box, "code").textContent = line;
    byID("clear-filters").hidden = !filtered;
  }
}
