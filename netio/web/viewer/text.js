// Text of logs for people to read. It gets into the page as text nodes only;
// what would act on a terminal or on the direction of writing is made visible.

/** @typedef {{start: number, end: number, name: string}} Span a class for a part of a text */

const ESCAPES = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])/g;
const ODD = /[\x00-\x08\x0b-\x1f\x7f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Takes the escape sequences out of a text. Colours become classes: a0 to a15,
 * on0 to on15 for the ground, bold, dim, italic, underline, strike.
 * @param {string} text
 * @returns {{text: string, spans: Span[]}}
 */
export function plain(text) {
  if (!text.includes("\x1b")) return {text: visible(text), spans: []};
  const style = new Style();
  /** @type {Span[]} */
  const spans = [];
  let out = "";
  let last = 0;
  const add = (/** @type {string} */ part) => {
    if (!part) return;
    const start = out.length;
    out += visible(part);
    const name = style.name();
    if (name) spans.push({start, end: out.length, name});
  };
  for (const m of text.matchAll(ESCAPES)) {
    add(text.slice(last, m.index));
    last = m.index + m[0].length;
    if (m[2] === "m") style.set(m[1]);
  }
  add(text.slice(last));
  return {text: out, spans};
}

/** Control characters as pictures, what turns text around as its code. @param {string} text */
function visible(text) {
  return text.replace(ODD, c => {
    const code = c.charCodeAt(0);
    if (code < 32) return String.fromCharCode(0x2400 + code);
    return code === 127 ? "\u2421" : `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}

/** What SGR sequences have set. */
class Style {
  constructor() {
    this.ink = -1;
    this.ground = -1;
    this.inverse = false;
    /** @type {Set<string>} */
    this.marks = new Set();
  }

  /** @param {string} parameters of one sequence */
  set(parameters) {
    const codes = parameters.split(/[;:]/).map(Number);
    for (let i = 0; i < codes.length; i++) {
      const c = codes[i];
      if (c === 0) Object.assign(this, new Style());
      else if (c >= 1 && c <= 9) this.attribute(c);
      else if (c === 22) { this.marks.delete("bold"); this.marks.delete("dim"); }
      else if (c === 23) this.marks.delete("italic");
      else if (c === 24) this.marks.delete("underline");
      else if (c === 27) this.inverse = false;
      else if (c === 29) this.marks.delete("strike");
      else if (c >= 30 && c <= 37) this.ink = c - 30;
      else if (c >= 90 && c <= 97) this.ink = c - 82;
      else if (c >= 40 && c <= 47) this.ground = c - 40;
      else if (c >= 100 && c <= 107) this.ground = c - 92;
      else if (c === 39) this.ink = -1;
      else if (c === 49) this.ground = -1;
      else if (c === 38 || c === 48) {
        const [colour, taken] = extended(codes.slice(i + 1));
        if (c === 38) this.ink = colour; else this.ground = colour;
        i += taken;
      }
    }
  }

  /** @param {number} code */
  attribute(code) {
    if (code === 7) this.inverse = true;
    else this.marks.add(["", "bold", "dim", "italic", "underline", "", "", "", "dim", "strike"][code]);
  }

  name() {
    const [ink, ground] = this.inverse ? [this.ground, this.ink < 0 ? 7 : this.ink] : [this.ink, this.ground];
    const names = [...this.marks].filter(Boolean);
    if (ink >= 0) names.push("a" + ink);
    if (ground >= 0) names.push("on" + ground);
    return names.join(" ");
  }
}

/**
 * One of 256 colours or of 2²⁴, as the nearest of the 16 that have contrast.
 * @param {number[]} codes behind 38 or 48
 * @returns {[colour: number, taken: number]}
 */
function extended(codes) {
  if (codes[0] === 2) return [nearest(codes.slice(1, 4)), 4];
  const c = codes[1] ?? 0;
  if (codes[0] !== 5) return [-1, 0];
  if (c < 16) return [c, 2];
  if (c >= 232) return [nearest([1, 1, 1].map(() => (c - 232) * 10 + 8)), 2];
  return [nearest([36, 6, 1].map(d => Math.floor((c - 16) / d) % 6 * 51)), 2];
}

/** @param {number[]} rgb */
function nearest(rgb) {
  const most = Math.max(...rgb);
  const least = Math.min(...rgb);
  if (most - least < 40) return most < 64 ? 0 : most < 140 ? 8 : most < 220 ? 7 : 15;
  const middle = (most + least) / 2;
  return rgb.reduce((bits, part, i) => bits | (part >= middle ? 1 << i : 0), 0) + (most > 200 ? 8 : 0);
}

/**
 * Fills an element with text in which spans and the matches of an expression
 * are marked.
 * @param {Element} element
 * @param {string} text
 * @param {Span[]} spans in order
 * @param {RegExp | null} marked with the flag g
 */
export function fill(element, text, spans, marked) {
  const hits = marked ? matches(text, marked) : [];
  if (spans.length === 0 && hits.length === 0) {
    element.textContent = text;
    return;
  }
  const edges = new Set([0, text.length]);
  for (const s of [...spans, ...hits]) edges.add(s.start).add(s.end);
  const sorted = [...edges].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const inside = (/** @type {Span} */ s) => s.start <= sorted[i] && sorted[i] < s.end;
    const part = text.slice(sorted[i], sorted[i + 1]);
    const span = spans.find(inside);
    const hit = hits.some(inside);
    if (!span && !hit) { parts.push(part); continue; }
    const e = document.createElement(hit ? "mark" : "span");
    if (span) e.className = span.name;
    e.textContent = part;
    parts.push(e);
  }
  element.replaceChildren(...parts);
}

const MAX_MARKS = 200; // of one text

/**
 * @param {string} text
 * @param {RegExp} expression
 * @returns {Span[]}
 */
function matches(text, expression) {
  const found = [];
  for (const m of text.matchAll(expression)) {
    if (m[0]) found.push({start: m.index, end: m.index + m[0].length, name: ""});
    if (found.length === MAX_MARKS) break;
  }
  return found;
}

/** A text that matches itself as a regular expression. @param {string} text */
export const literal = text => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
