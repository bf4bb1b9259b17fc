// The box in which the user narrows and filters, and the chips of the filters
// that are in effect.

import {button, make} from "./dom.js";
import {literal} from "./text.js";

/** @import {State} from "./state.js" */
/** @import {Row} from "./store.js" */

/** @type {Record<string, string>} */
const NAMES = {
  level: "level ≥", levels: "level", source: "source", not_source: "not source", q: "contains", not: "excludes",
  re: "matches", not_re: "excludes /re/", field: "field", since: "since", tail: "last",
};

/** @type {Record<string, string>} */
const HINTS = {
  field: "KEY=VALUE, also != > >= < <= ~ — Enter filters", source: "A name or a glob such as api* — Enter filters",
  not_source: "A name or a glob such as api* — Enter filters", level: "trace debug info warn error fatal — Enter filters",
  since: "5m, 2h or 2024-01-01T12:00:00Z — Enter begins there", tail: "How many entries to begin with — Enter",
};

/**
 * An expression that finds what the user has typed; /…/ is a regular
 * expression, anything else a text in whatever case.
 * @param {string} text
 * @returns {RegExp | null}
 */
export function expression(text) {
  if (!text) return null;
  const re = /^\/(.+)\/$/.exec(text);
  try {
    return new RegExp(re ? re[1] : literal(text), re ? "g" : "gi");
  } catch {
    return null;
  }
}

/**
 * What a narrowing lets through: as the filter of the same kind on the server,
 * but that it looks at fields as they are written.
 * @param {string} kind
 * @param {string} text
 * @returns {{passes: ((row: Row) => boolean) | null, error: string}}
 */
export function narrowing(kind, text) {
  if (!text || !["q", "not", "re", "not_re"].includes(kind)) return {passes: null, error: ""};
  try {
    const re = kind.endsWith("re") ? new RegExp(text) : new RegExp(literal(text), "i");
    const want = !kind.startsWith("not");
    return {passes: row => (re.test(row.message) || (row.fields !== "" && re.test(row.fields))) === want, error: ""};
  } catch (e) {
    return {passes: null, error: String(/** @type {Error} */ (e).message)};
  }
}

export class FilterBox {
  /**
   * @param {State} state
   * @param {{narrow: () => void, filter: () => void, say: (text: string) => void}} on
   */
  constructor(state, on) {
    this.state = state;
    this.form = /** @type {HTMLFormElement} */ (document.getElementById("filter"));
    this.kind = /** @type {HTMLSelectElement} */ (document.getElementById("kind"));
    this.text = /** @type {HTMLInputElement} */ (document.getElementById("text"));
    this.chips = /** @type {HTMLElement} */ (document.getElementById("chips"));
    this.general = this.text.placeholder;
    const typed = () => {
      state.narrow = this.text.value;
      state.narrowKind = this.kind.value;
      this.text.placeholder = HINTS[this.kind.value] ?? this.general;
      on.narrow();
    };
    this.text.addEventListener("input", typed);
    this.kind.addEventListener("change", () => {
      typed();
      this.text.focus();
    });
    this.form.addEventListener("submit", e => {
      e.preventDefault();
      if (!this.text.value) return;
      state.add(this.kind.value, this.text.value);
      state.narrow = "";
      this.show();
      on.filter();
    });
  }

  /** Shows what the state says. */
  show() {
    this.kind.value = this.state.narrowKind;
    this.text.value = this.state.narrow;
    this.text.placeholder = HINTS[this.kind.value] ?? this.general;
    this.chips.replaceChildren(...this.state.filters.map(([name, value]) => {
      const chip = make("span", "chip " + (name.startsWith("not") ? "without" : ""), make("b", "", NAMES[name]), " " + value + " ");
      const remove = button("unfilter", "×", `Remove the filter: ${NAMES[name]} ${value}`, value);
      remove.dataset.name = name;
      chip.append(remove);
      return chip;
    }));
    if (this.state.filters.length > 0) this.chips.append(button("clear-filters", "Remove all", ""));
    this.chips.hidden = this.state.filters.length === 0;
  }

  /** @param {string} error what is wrong with a regular expression, "" when nothing is */
  complain(error) {
    this.text.setCustomValidity(error);
    this.text.title = error;
  }
}
