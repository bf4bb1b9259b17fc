// The keys. Those without a modifier hold where no text is typed.

import {nextError, walk} from "./actions.js";
import {byID} from "./dom.js";

/** @import {Viewer} from "./main.js" */

const TIMES = ["local", "utc", "age"];

/** @param {Viewer} viewer */
export function bindKeys(viewer) {
  const {list, state, store} = viewer;
  /** @type {Record<string, () => void>} */
  const keys = {
    "/": () => byID("text").focus(),
    "h": () => byID("highlight").focus(),
    " ": () => viewer.pause(!store.paused),
    "g": () => list.top(),
    "Home": () => list.top(),
    "G": () => list.follow(true),
    "End": () => list.follow(true),
    "j": () => walk(viewer, 1, () => true),
    "k": () => walk(viewer, -1, () => true),
    "e": () => nextError(viewer, 1),
    "E": () => nextError(viewer, -1),
    "w": () => viewer.setLook("wrap", state.look.wrap === "1" ? "0" : "1"),
    "t": () => viewer.setLook("time", TIMES[(TIMES.indexOf(state.look.time) + 1) % TIMES.length]),
    "c": () => {
      store.clear();
      viewer.linked = null;
      list.open = 0;
      viewer.status.cleared = true;
      viewer.seen = 0;
      list.follow(true);
      viewer.status.soon();
    },
    "?": () => /** @type {HTMLDialogElement} */ (byID("help")).showModal(),
    "Enter": () => {
      const row = store.view.at(store.find(list.selected));
      if (row?.n !== list.selected) return;
      if (row.lines > 0 && row.unfolded === row.open) viewer.unfold(row); // with its details
      viewer.toggle(row);
    },
    "Escape": () => escape(viewer),
  };
  document.addEventListener("keydown", e => {
    const target = /** @type {HTMLElement} */ (e.target);
    const typing = target.matches("input:not([type=checkbox], [type=radio]), select, textarea");
    const pressable = target.matches("button, a, summary, input") && (e.key === "Enter" || e.key === " ");
    if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
    if (e.key !== "Escape" && (typing || pressable || !Object.hasOwn(keys, e.key))) return;
    e.preventDefault(); // of Escape, too: browsers would empty the box and not say so
    keys[e.key]();
  });
}

/** Leaves a box, closes a menu or the open row. @param {Viewer} viewer */
function escape(viewer) {
  const menu = document.querySelector("details[open]");
  const row = viewer.store.view.at(viewer.store.find(viewer.list.selected));
  if (menu) {
    menu.removeAttribute("open");
    /** @type {HTMLElement} */ (menu.querySelector("summary")).focus();
  } else if (document.activeElement instanceof HTMLInputElement) byID("list").focus();
  else if (row?.open) viewer.toggle(row, false);
}
