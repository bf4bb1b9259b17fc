// This tab's end of the worker that reads the stream.

/** @import {Batch} from "./sse.js" */
/** @import {StreamState} from "./worker.js" */

export class Stream {
  /**
   * @param {(batch: Batch) => void} onBatch
   * @param {(state: StreamState) => void} onState
   */
  constructor(onBatch, onState) {
    this.onBatch = onBatch;
    this.onState = onState;
    this.serial = 0;
    this.lastID = "";
    this.query = "";
    this.place = "";
    this.port = connect();
    this.port.onmessage = e => this.receive(e.data);
    document.addEventListener("visibilitychange", () => this.send({kind: "visible"}));
    addEventListener("focus", () => this.send({kind: "visible"}));
    addEventListener("pagehide", () => this.send({kind: "close"}));
    addEventListener("pageshow", e => { if (e.persisted) this.open(this.query, this.place, this.lastID); });
  }

  /**
   * @param {string} query filters
   * @param {string} place where to begin
   * @param {string} [lastID] behind which to go on instead
   */
  open(query, place, lastID = "") {
    Object.assign(this, {query, place, lastID});
    this.serial++;
    const url = new URL("stream?name=viewer" + (query && "&" + query), document.baseURI).href;
    this.send({kind: "open", url, place, lastID});
  }

  /** @param {object} message */
  send(message) {
    this.port.postMessage({...message, serial: this.serial, visible: document.visibilityState === "visible"});
  }

  /** @param {any} m */
  receive(m) {
    if (m.serial !== this.serial) return; // of what was asked for before
    if (m.kind === "stream") {
      this.onState(m);
      return;
    }
    this.lastID = m.lastID || this.lastID;
    this.onBatch(m.batch);
    this.send({kind: "ack"});
  }
}

/** @returns {MessagePort | Worker} */
function connect() {
  const url = new URL("worker.js", import.meta.url);
  if (typeof SharedWorker === "undefined") return new Worker(url);
  const port = new SharedWorker(url, {name: "logwisp"}).port;
  port.start();
  return port;
}
