// Levels and sources with their counts, to filter by one click.

import {LEVELS} from "./sse.js";
import {button, count, make, part} from "./dom.js";
import {hue} from "./row.js";
import {exactly} from "./state.js";

/** @import {State} from "./state.js" */
/** @import {Store} from "./store.js" */
/** @typedef {{source: string, path: string}} File */

const MAX_SOURCES = 500; // shown

export class Panel {
  /**
   * @param {State} state
   * @param {Store} store
   */
  constructor(state, store) {
    this.state = state;
    this.store = store;
    this.levels = /** @type {HTMLElement} */ (document.getElementById("levels"));
    this.sources = /** @type {HTMLElement} */ (document.getElementById("sources"));
    /** @type {File[]} */
    this.files = [];
    this.known = "";
    // From the most severe one down; "unknown" is for entries that name none.
    for (let i = LEVELS.length - 1; i >= 0; i--) {
      const b = button("level", "", "", LEVELS[i]);
      b.append(make("span", "dot lv-" + LEVELS[i]), make("span", "name", i ? LEVELS[i] : "none"), make("span", "count"));
      this.levels.append(make("li", "", b));
    }
  }

  /** Asks which files there are. */
  async load() {
    try {
      const response = await fetch(new URL("sources", document.baseURI));
      if (response.ok) this.files = (await response.json()).sources ?? [];
    } catch { /* those that are seen are listed */ }
    this.show();
  }

  /** Shows counts, and what is chosen. */
  show() {
    const chosen = this.state.levels;
    for (const b of this.levels.querySelectorAll("button")) {
      const level = b.dataset.value ?? "";
      const n = this.store.levels[LEVELS.indexOf(level)];
      b.ariaPressed = String(chosen.has(level));
      b.classList.toggle("off", n === 0 && !chosen.has(level));
      part(b, ".count").textContent = n > 0 ? count(n) : "";
    }
    this.list();
    const any = this.state.filters.some(f => f[0] === "source");
    for (const li of this.sources.querySelectorAll("li")) {
      const name = li.dataset.source ?? "";
      const n = this.store.sources.get(name) ?? 0;
      const [only, without] = li.querySelectorAll("button");
      only.ariaPressed = String(this.state.has("source", exactly(name)));
      without.ariaPressed = String(this.state.has("not_source", exactly(name)));
      only.classList.toggle("off", n === 0 && (any || without.ariaPressed === "true"));
      part(li, ".count").textContent = n > 0 ? count(n) : "";
    }
  }

  /** Makes the list of sources anew, if there are others than before. */
  list() {
    const chosen = this.state.filters.filter(([name]) => name === "source" || name === "not_source").map(f => f[1]);
    const plain = chosen.filter(glob => exactly(glob) === glob);
    const names = [...new Set([...this.files.map(f => f.source), ...this.store.sources.keys(), ...plain])].sort().slice(0, MAX_SOURCES);
    const known = names.join("\n");
    if (known === this.known) return;
    this.known = known;
    this.sources.replaceChildren(...names.map(name => {
      const only = button("source", "", "", name);
      only.append(make("span", "name s" + hue(name), name), make("span", "count"));
      only.title = this.files.find(f => f.source === name)?.path ?? name;
      const li = make("li", "", only, button("not-source", "−", `Leave out ${name}`, name));
      li.dataset.source = name;
      return li;
    }));
  }
}
