// Short hands for elements.

/** @param {string} id @returns {HTMLElement} */
export const byID = id => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Element} element @param {string} selector @returns {HTMLElement} */
export const part = (element, selector) => /** @type {HTMLElement} */ (element.querySelector(selector));

/**
 * A whole number for people. Intl.NumberFormat would do the same, but takes twenty
 * milliseconds to be made, before the first line can show.
 * @param {number} n
 */
export const count = n => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/**
 * An element with a class and contents.
 * @param {string} tag
 * @param {string} name
 * @param {...(Node | string)} contents
 */
export function make(tag, name, ...contents) {
  const e = document.createElement(tag);
  if (name) e.className = name;
  e.append(...contents);
  return e;
}

/**
 * A button; what a press does is found by data-do, see actions.js.
 * @param {string} action
 * @param {string} text
 * @param {string} label what it is called where the text does not say it
 * @param {string} [value]
 */
export function button(action, text, label, value = "") {
  const b = /** @type {HTMLButtonElement} */ (make("button", "", text));
  b.type = "button";
  b.dataset.do = action;
  if (value) b.dataset.value = value;
  if (label) b.ariaLabel = b.title = label;
  return b;
}
