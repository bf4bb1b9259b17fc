// What a row of the list looks like.

import {count, part} from "./dom.js";
import {LEVELS} from "./sse.js";
import {fields, unquote} from "./json.js";
import {detail} from "./detail.js";
import {fill, plain} from "./text.js";
import {format, iso} from "./time.js";

/** @import {Row} from "./store.js" */
/** @import {Span} from "./text.js" */
/** @typedef {{time: string, highlight: RegExp | null, now: number}} Look what of the settings a row depends on */

const MAX_IN_ROW = 2000; // characters of a message in its row; its details have them all
const MAX_FIELDS = 400;
/**
 * @param {HTMLElement} element from the template "row"
 * @param {Row} row
 * @param {boolean} selected
 * @param {Look} look
 */
export function drawRow(element, row, selected, look) {
  const kind = row.kind ? `mark-${row.reason === "expired" ? "drop" : row.kind}` : `lv-${LEVELS[row.level]}`;
  put(element, "class", `row ${kind}${row.open ? " open" : ""}`);
  element.dataset.n = String(row.n);
  if (selected) element.setAttribute("aria-current", "true"); else element.removeAttribute("aria-current");
  part(element, ".detail")?.remove();
  const message = part(element, ".msg");
  if (row.kind) {
    message.textContent = markText(row);
    return;
  }
  const time = /** @type {HTMLTimeElement} */ (part(element, "time"));
  time.textContent = format(row.time, look.time, look.now);
  time.dateTime = iso(row.time);
  part(element, ".lv").textContent = row.level ? LEVELS[row.level].toUpperCase() : "";
  const source = part(element, ".src");
  if (source.textContent !== row.source) source.textContent = row.source;
  put(source, "class", "src s" + hue(row.source));
  drawMessage(message, row, look.highlight);
  drawFields(part(element, ".kv"), row, look.highlight);
  drawFold(part(element, ".fold"), row);
  put(part(element, ".caret"), "aria-expanded", String(row.open));
  if (row.open) element.append(detail(row, look.highlight));
}

/**
 * Sets an attribute that may have the value already: what does not change costs
 * no style.
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
function put(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {Row} row */
function markText(row) {
  const n = `${count(row.count)} ${row.count === 1 ? "entry" : "entries"}`;
  switch (row.kind) {
  case "drop":
    if (row.reason === "skipped") return `${n} lost among those that passed while paused`;
    return row.reason === "sampled" ? `${n} left out: more came than max_rate lets through` : `${n} lost: this viewer was too slow for them`;
  case "gap":
    return `${n} missed while the connection was down`;
  case "reset":
    if (row.reason === "expired") return "Entries were lost: those that followed are no longer held, how many is not known";
    return "LogWisp was started anew: what follows is of another run";
  default:
    return `${n} passed while paused, more than can be kept here`;
  }
}

/**
 * @param {HTMLElement} element
 * @param {Row} row
 * @param {RegExp | null} highlight
 */
function drawMessage(element, row, highlight) {
  const line = row.message.indexOf("\n");
  const shown = row.message.slice(0, line < 0 ? MAX_IN_ROW : Math.min(line, MAX_IN_ROW));
  const {text, spans} = plain(shown);
  fill(element, text, spans, highlight);
  if (row.message.length > MAX_IN_ROW && line < 0) {
    const rest = document.createElement("span");
    rest.className = "rest";
    rest.textContent = ` … ${count(row.message.length - MAX_IN_ROW)} more characters`;
    element.append(rest);
  }
}

/**
 * @param {HTMLElement} element
 * @param {Row} row
 * @param {RegExp | null} highlight
 */
function drawFields(element, row, highlight) {
  let text = "";
  /** @type {Span[]} */
  const spans = [];
  for (const [key, value] of row.fields ? fields(row.fields.slice(0, 4 * MAX_FIELDS)) : []) {
    const start = text.length + 1;
    text += ` ${key}=`;
    spans.push({start, end: text.length, name: "key"});
    text += plain(unquote(value).replaceAll("\n", "⏎").slice(0, MAX_FIELDS)).text;
    if (text.length > MAX_FIELDS) break;
  }
  fill(element, text, spans, highlight);
}

/**
 * The button that shows the rest of a trace: of lines of one message, or of the
 * rows that continue this one.
 * @param {HTMLElement} button
 * @param {Row} row
 */
function drawFold(button, row) {
  let more = row.lines;
  for (let at = -1; (at = row.message.indexOf("\n", at + 1)) >= 0 && more < 1000;) more++;
  button.hidden = more === 0;
  if (more === 0) return;
  const open = row.lines > 0 ? row.unfolded : row.open;
  button.textContent = open ? "− fold" : `+${more} ${more === 1 ? "line" : "lines"}`;
  button.setAttribute("aria-expanded", String(open));
}

const HUES = 8;
/** @type {Map<string, number>} */
const hues = new Map();

/** One of a few colours, always the same for a source. @param {string} source */
export function hue(source) {
  let h = hues.get(source);
  if (h === undefined) {
    h = 0;
    for (let i = 0; i < source.length; i++) h = (h * 31 + source.charCodeAt(i)) >>> 0;
    hues.set(source, h %= HUES);
  }
  return h;
}
