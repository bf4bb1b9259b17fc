// What presses and clicks do. An element names what it does with data-do.

import {LEVELS} from "./sse.js";
import {entryJSON} from "./detail.js";
import {byID} from "./dom.js";
import {exactly} from "./state.js";
import {fill, plain} from "./text.js";

/** @import {Viewer} from "./main.js" */
/** @import {Row} from "./store.js" */

/** @param {Viewer} viewer */
export function actions(viewer) {
  const {state, store, list} = viewer;
  const does = {...rowActions(viewer), ...pageActions(viewer)};
  document.addEventListener("click", e => {
    const target = /** @type {Element} */ (e.target);
    const pressed = /** @type {HTMLElement | null} */ (target.closest("[data-do]"));
    const row = rowOf(viewer, target);
    if (pressed) does[pressed.dataset.do ?? ""]?.(pressed, row);
    else if (row && !target.closest(".detail") && getSelection()?.isCollapsed) {
      viewer.toggle(row);
      viewer.select(row);
    }
    for (const menu of document.querySelectorAll("details[open]")) if (!menu.contains(target)) menu.removeAttribute("open");
  });
  document.addEventListener("change", e => {
    const {dataset, checked, value} = /** @type {HTMLInputElement} */ (e.target);
    if (dataset.look) viewer.setLook(dataset.look, checked ? value : "0");
    if (!dataset.column) return;
    const hidden = new Set(state.look.hide.split(",").filter(Boolean));
    if (checked) hidden.delete(dataset.column); else hidden.add(dataset.column);
    viewer.setLook("hide", [...hidden].join(","));
  });
  byID("highlight").addEventListener("input", e => {
    state.highlight = /** @type {HTMLInputElement} */ (e.target).value;
    state.write(false);
    viewer.mark();
  });
  // A title for each row that is drawn would cost more than it is worth.
  list.rows.addEventListener("mouseover", e => {
    const cell = /** @type {HTMLElement} */ (e.target);
    if (cell.matches("time, .src")) cell.title = cell instanceof HTMLTimeElement ? cell.dateTime : cell.textContent;
  });
  // Who selects text wants it to stay.
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    if (selection && !selection.isCollapsed && list.rows.contains(selection.anchorNode)) list.hold();
  });
  list.onDraw = () => { if (store.paused || !list.following) viewer.status.soon(); };
}

/** @param {Viewer} viewer @param {Element} element @returns {Row | null} */
function rowOf(viewer, element) {
  const e = /** @type {HTMLElement | null} */ (element.closest(".row"));
  if (!e) return null;
  const n = Number(e.dataset.n);
  const row = viewer.store.view.at(viewer.store.find(n));
  return row?.n === n ? row : null;
}

/** @typedef {Record<string, (pressed: HTMLElement, row: Row | null) => void>} Actions */

/** @param {Viewer} viewer @returns {Actions} */
function rowActions(viewer) {
  const {state} = viewer;
  /** @param {string} text @param {string} what */
  const copied = async (text, what) => viewer.status.say(await copy(text) ? `Copied the ${what}` : "The browser does not let this page copy");
  return {
    "open": (_, row) => row && viewer.toggle(row),
    "fold": (_, row) => row && viewer.unfold(row),
    "copy-entry": (_, row) => row && copied(entryJSON(row), "entry"),
    "copy-message": (_, row) => row && copied(plain(row.message).text, "message"),
    "copy-link": (_, row) => row && copied(link(viewer, row), "link"),
    "copy": pressed => copied(pressed.dataset.value ?? "", "value"),
    "context": (_, row) => {
      if (!row) return;
      Object.assign(state, {filters: [], narrow: "", id: row.id});
      state.write(true);
      viewer.open();
    },
    "field": pressed => {
      state.add("field", pressed.dataset.value ?? "");
      viewer.refilter();
    },
    "show-all": (pressed, row) => {
      const pre = pressed.parentElement?.querySelector("pre");
      if (!row || !pre) return;
      const {text, spans} = plain(row.message);
      fill(pre, text, spans, viewer.highlight);
      pressed.remove();
    },
  };
}

/** @param {Viewer} viewer @returns {Actions} */
function pageActions(viewer) {
  const {state, store, list} = viewer;
  return {
    "pause": () => viewer.pause(!store.paused),
    "follow": () => {
      if (store.paused) viewer.pause(false);
      list.follow(true);
    },
    "panel": pressed => {
      const narrow = matchMedia("(max-width: 760px)").matches;
      const shown = document.body.classList.toggle(narrow ? "with-panel" : "without-panel") === narrow;
      pressed.ariaExpanded = String(shown);
    },
    "level": pressed => {
      state.toggleLevel(pressed.dataset.value ?? "");
      viewer.refilter();
    },
    "source": pressed => toggle(viewer, "source", exactly(pressed.dataset.value ?? "")),
    "not-source": pressed => toggle(viewer, "not_source", exactly(pressed.dataset.value ?? "")),
    "unfilter": pressed => {
      state.remove(pressed.dataset.name ?? "", pressed.dataset.value ?? "");
      viewer.refilter();
    },
    "clear-filters": () => {
      state.filters = [];
      viewer.refilter();
    },
    "copy-try": () => copy(document.querySelector("#try code")?.textContent ?? ""),
    "help": () => /** @type {HTMLDialogElement} */ (byID("help")).showModal(),
    "theme": () => changeTheme(),
  };
}

/** @param {Viewer} viewer @param {string} name @param {string} value */
function toggle(viewer, name, value) {
  if (viewer.state.has(name, value)) viewer.state.remove(name, value); else viewer.state.add(name, value);
  viewer.refilter();
}

/** The address that shows an entry. @param {Viewer} viewer @param {Row} row */
function link(viewer, row) {
  const before = viewer.state.id;
  viewer.state.id = row.id;
  const url = new URL(viewer.state.address(), location.href).href;
  viewer.state.id = before;
  return url;
}

/** Dark becomes light; what the system prefers need not be remembered. */
function changeTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const theme = (document.documentElement.dataset.theme ?? system) === "dark" ? "light" : "dark";
  if (theme === system) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === system) localStorage.removeItem("logwisp.theme"); else localStorage.setItem("logwisp.theme", theme);
  } catch { /* it holds for this page */ }
}

/**
 * Copies a text. Without TLS only pages of this machine have a clipboard; for
 * others there is the old way.
 * @param {string} text
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { /* the old way */ }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "away";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** Selects the next row of at least level error. @param {Viewer} viewer @param {1 | -1} step */
export function nextError(viewer, step) {
  const worst = LEVELS.indexOf("error");
  walk(viewer, step, row => row.level >= worst);
}

/**
 * Selects the next row that is right, from the selected one or else from what is
 * in sight.
 * @param {Viewer} viewer
 * @param {1 | -1} step
 * @param {(row: Row) => boolean} right
 */
export function walk(viewer, step, right) {
  const {list, store} = viewer;
  const {view} = store;
  const selected = list.selected >= 0 ? store.find(list.selected) : -1;
  const held = selected >= 0 && selected < view.length && view.at(selected).n === list.selected;
  const edge = list.shown[step > 0 ? 0 : list.shown.length - 1]?.n ?? 0;
  for (let i = held ? selected + step : store.find(edge); i >= 0 && i < view.length; i += step) {
    if (!right(view.at(i))) continue;
    list.hold();
    viewer.select(view.at(i));
    return;
  }
  viewer.status.say(step > 0 ? "No further one" : "None before");
}
