// Reads /stream for all tabs, as a SharedWorker; where there is none, as the
// Worker of one tab. Tabs that ask for the same share one stream. A browser
// opens six connections to a host, so only so many streams are open as leave
// room for pages and downloads: the tab that has been hidden for longest is
// parked, and goes on where it was when it is looked at again.

import {Parser, join} from "./sse.js";

/** @import {Batch} from "./sse.js" */
/** @typedef {{postMessage: (message: any) => void, onmessage: ((e: MessageEvent) => any) | null}} Port */
/** @typedef {{kind: "stream", state: "connecting" | "live" | "waiting" | "refused" | "parked", error: string, retry: number, code?: number}} StreamState */

const MAX_STREAMS = 4;
const MAX_UNACKED = 64; // batches that a tab may be behind
const BATCH_MS = 50; // between two batches; the first goes at once
const HEARTBEAT = 15; // seconds
const KEPT_ROWS = 10000; // for a tab that joins a stream
const KEPT_SIZE = 32 << 20; // characters of them

/** A stream of /stream, made again when it breaks, for the tabs that share it. */
class Stream {
  /**
   * @param {string} url without a place
   * @param {string} place what to begin with, as parameters
   * @param {string} lastID behind which to go on, "" to begin
   */
  constructor(url, place, lastID) {
    this.url = url;
    this.place = place;
    this.resumed = lastID !== "";
    /** @type {Set<Tab>} */
    this.tabs = new Set();
    this.parser = new Parser((name, data) => this.event(name, data));
    this.parser.lastID = lastID;
    /** @type {{batch: Batch, lastID: string}[]} */
    this.kept = [];
    this.keptRows = 0;
    this.keptSize = 0;
    this.cut = false; // what is kept is not all that has come
    this.timer = 0;
    this.flushed = 0; // when
    this.failures = 0;
    this.retryAfter = 0; // seconds, as the server has said
    this.closed = false;
    this.abort = new AbortController();
    this.wake = () => {};
    /** @type {StreamState} */
    this.state = {kind: "stream", state: "connecting", error: "", retry: 0};
    this.run();
  }

  /** @param {Tab} tab */
  join(tab) {
    this.tabs.add(tab);
    tab.stream = this;
    tab.tell(this.state);
    if (this.kept.length > 0) tab.send(join(this.kept.map(k => k.batch)), this.kept[this.kept.length - 1].lastID);
  }

  /** @param {Tab} tab */
  leave(tab) {
    this.flush();
    // Behind what was looked at for it, which may be far behind its last row.
    tab.lastID = this.parser.lastID || tab.lastID;
    this.tabs.delete(tab);
    tab.stream = null;
    this.wake();
    if (this.tabs.size > 0) return;
    this.closed = true;
    this.abort.abort();
    streams.delete(this);
  }

  async run() {
    while (!this.closed) {
      this.abort = new AbortController();
      this.report("connecting", "");
      const error = await this.read().catch(e => String(e.message ?? e));
      this.flush();
      if (this.closed) return;
      if (this.state.state === "refused") return;
      const wait = this.retryAfter * 1000 || Math.min(10000, 125 * 2 ** this.failures++) * (0.75 + Math.random() / 2);
      this.retryAfter = 0;
      this.report("waiting", error, Date.now() + wait);
      await new Promise(done => setTimeout(done, wait));
    }
  }

  /** One connection, to its end. Returns why it has ended. */
  async read() {
    this.parser.cut();
    const place = this.parser.lastID ? "last_event_id=" + encodeURIComponent(this.parser.lastID) : this.place;
    const response = await fetch(`${this.url}&${place}&heartbeat=${HEARTBEAT}`, {
      headers: {Accept: "text/event-stream"}, cache: "no-store", signal: this.abort.signal,
    });
    if (!response.ok || !response.body) return this.refused(response);
    let heard = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - heard > 3000 * HEARTBEAT && this.lagging() === 0) this.abort.abort();
    }, 1000 * HEARTBEAT);
    try {
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const {done, value} = await reader.read();
        if (done) return "the connection was closed";
        heard = Date.now();
        this.parser.feed(value);
        if (!this.timer) this.timer = setTimeout(() => this.flush(), Math.max(0, this.flushed + BATCH_MS - Date.now()));
        await this.pace();
      }
    } finally {
      clearInterval(watch);
    }
  }

  /** @param {Response} response */
  async refused(response) {
    const body = await response.json().catch(() => ({}));
    const error = body.error ?? `HTTP ${response.status}`;
    this.retryAfter = Number(response.headers.get("Retry-After")) || 0;
    // The same request would be refused again.
    if (response.status >= 400 && response.status < 500 && response.status !== 429) this.report("refused", error, 0, response.status);
    return error;
  }

  /**
   * @param {string} name
   * @param {any} data
   */
  event(name, data) {
    if (name === "connected") {
      this.failures = 0;
      this.report("live", "");
    } else if (name === "disconnect") {
      this.failures = data.reason === "server_shutdown" ? 1 : 0;
    }
  }

  /**
   * @param {StreamState["state"]} state
   * @param {string} error
   * @param {number} [retry] when it is tried again
   * @param {number} [code] of the answer that has refused it
   */
  report(state, error, retry = 0, code = 0) {
    this.flush();
    this.state = {kind: "stream", state, error, retry, code};
    for (const tab of this.tabs) tab.tell(this.state);
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    const batch = this.parser.take();
    if (batch.ids.length === 0 && batch.marks.length === 0) return;
    this.flushed = Date.now();
    const lastID = this.parser.lastID;
    for (const tab of this.tabs) tab.send(batch, lastID);
    this.kept.push({batch, lastID});
    this.keptRows += batch.ids.length;
    this.keptSize += batch.size;
    for (let b; b = this.kept[0]?.batch, b && (this.keptRows - b.ids.length >= KEPT_ROWS || this.keptSize > KEPT_SIZE); this.kept.shift()) {
      this.keptRows -= b.ids.length;
      this.keptSize -= b.size;
      this.cut = true;
    }
  }

  /** How many tabs are too far behind. */
  lagging() {
    let n = 0;
    for (const tab of this.tabs) if (tab.unacked > MAX_UNACKED) n++;
    return n;
  }

  /**
   * A tab that does not keep up holds nothing back if it shares the stream:
   * it is parked. One alone is waited for, and the server counts what it is
   * then too slow for.
   */
  async pace() {
    while (!this.closed && this.lagging() > 0) {
      if (this.lagging() < this.tabs.size) {
        for (const tab of [...this.tabs]) if (tab.unacked > MAX_UNACKED) this.leave(tab);
        return;
      }
      await new Promise(done => { this.wake = () => done(undefined); });
    }
  }
}

/** A page that has connected. */
class Tab {
  /** @param {Port} port */
  constructor(port) {
    this.port = port;
    /** @type {Stream | null} */
    this.stream = null; // null: parked, or it has not asked yet
    this.url = "";
    this.place = "";
    this.lastID = ""; // of what it was sent
    this.serial = 0; // of what it asked for last; acknowledgements of the one before do not count
    this.unacked = 0;
    this.visible = true;
    this.seen = Date.now();
    port.onmessage = e => this.receive(e.data);
  }

  /** @param {any} m */
  receive(m) {
    switch (m.kind) {
    case "open":
      this.stream?.leave(this);
      Object.assign(this, {url: m.url, place: m.place, lastID: m.lastID, serial: m.serial, unacked: 0});
      tabs.add(this);
      this.see(m.visible);
      break;
    case "ack":
      if (m.serial !== this.serial) return;
      this.unacked--;
      this.stream?.wake();
      if (this.unacked === 0 && !this.stream) admit();
      break;
    case "visible":
      this.see(m.visible);
      break;
    case "close":
      tabs.delete(this);
      this.stream?.leave(this);
      admit();
    }
  }

  /** @param {boolean} visible */
  see(visible) {
    this.visible = visible;
    this.seen = Date.now();
    admit();
  }

  /** @param {StreamState} state */
  tell(state) { this.port.postMessage({...state, serial: this.serial}); }

  /**
   * @param {Batch} batch
   * @param {string} lastID
   */
  send(batch, lastID) {
    this.lastID = lastID || this.lastID;
    this.unacked++;
    this.port.postMessage({kind: "batch", serial: this.serial, batch, lastID});
  }

  /** Finds a stream that has what the tab wants, or says it must be a new one. */
  shared() {
    const tail = Number(new URLSearchParams(this.place).get("tail") ?? Infinity);
    if (this.lastID) return undefined;
    return [...streams].find(s => !(s.cut && s.keptRows < tail) && !s.resumed && s.state.state !== "refused" && s.url === this.url && s.place === this.place);
  }
}

/** @type {Set<Tab>} */
const tabs = new Set();
/** @type {Set<Stream>} */
const streams = new Set();

/** Gives every tab a stream, as far as connections go: those looked at first. */
function admit() {
  const order = [...tabs].sort((a, b) => Number(b.visible) - Number(a.visible) || b.seen - a.seen);
  const open = new Set();
  for (const tab of order) {
    if (tab.stream && (open.has(tab.stream) || open.size < MAX_STREAMS)) open.add(tab.stream);
    else tab.stream?.leave(tab);
    if (tab.stream || tab.unacked > 0) continue;
    const shared = tab.shared();
    if (!shared && open.size >= MAX_STREAMS) {
      tab.tell({kind: "stream", state: "parked", error: "", retry: 0});
      continue;
    }
    const stream = shared ?? new Stream(tab.url, tab.place, tab.lastID);
    streams.add(stream);
    stream.join(tab);
    open.add(stream);
  }
}

const scope = /** @type {any} */ (self);
if ("onconnect" in scope) scope.onconnect = (/** @type {MessageEvent} */ e) => new Tab(e.ports[0]);
else new Tab(scope);
