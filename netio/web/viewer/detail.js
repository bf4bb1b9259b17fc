// What an open row shows: its whole message and all of its fields, each to be
// copied or filtered by.

import {button, make} from "./dom.js";
import {LEVELS} from "./sse.js";
import {fields, tokens, unquote} from "./json.js";
import {fill, plain} from "./text.js";
import {iso} from "./time.js";

/** @import {Row} from "./store.js" */

const MAX_SHOWN = 65536; // characters, until all are asked for

/** An entry as LogWisp has sent it. @param {Row} row */
export function entryJSON(row) {
  const level = row.level ? `,"level":"${LEVELS[row.level]}"` : "";
  const rest = row.fields ? `,"fields":${row.fields}` : "";
  return `{"time":"${iso(row.time)}","source":${JSON.stringify(row.source)}${level},"message":${JSON.stringify(row.message)}${rest}}`;
}

/**
 * @param {Row} row
 * @param {RegExp | null} highlight
 */
export function detail(row, highlight) {
  const actions = make("div", "actions",
    button("copy-entry", "Copy entry", ""), button("copy-message", "Copy message", ""),
    button("copy-link", "Copy link", ""), button("context", "Show in context", ""));
  const {text, spans} = plain(row.message.slice(0, MAX_SHOWN));
  const message = make("pre", "whole");
  message.tabIndex = 0;
  fill(message, text, spans, highlight);
  const e = make("div", "detail", actions, message);
  if (row.message.length > MAX_SHOWN) {
    e.append(button("show-all", `Show all ${row.message.length.toLocaleString("en")} characters`, ""));
  }
  const list = make("dl", "");
  const own = [["time", JSON.stringify(iso(row.time))], ["source", JSON.stringify(row.source)]];
  if (row.level) own.push(["level", `"${LEVELS[row.level]}"`]);
  for (const [key, value] of own) list.append(...member(key, value, highlight));
  for (const [key, value] of row.fields ? fields(row.fields) : []) list.append(...member(key, value, highlight));
  e.append(list);
  return e;
}

/**
 * @param {string} key
 * @param {string} value as JSON
 * @param {RegExp | null} highlight
 */
function member(key, value, highlight) {
  const text = unquote(value);
  const content = make("span", "value");
  const nested = value[0] === "{" || value[0] === "[";
  if (nested) content.append(...pretty(value)); else fill(content, plain(text).text, [], highlight);
  content.classList.add(nested ? "nested" : value[0] === '"' ? "string" : "literal");
  const tools = make("span", "tools");
  if (!nested && text.length < 1024) {
    tools.append(
      button("field", "=", `Only entries with this ${key}`, `${key}=${text}`),
      button("field", "≠", `No entries with this ${key}`, `${key}!=${text}`));
  }
  tools.append(button("copy", "Copy", `Copy ${key}`, text));
  return [make("dt", "", key), make("dd", "", content, tools)];
}

/** JSON with its structure in lines. @param {string} json */
function pretty(json) {
  /** @type {(Node | string)[]} */
  const out = [];
  let indent = "";
  const all = tokens(json);
  all.forEach((token, i) => {
    const empty = (token === "{" && all[i + 1] === "}") || (token === "[" && all[i + 1] === "]");
    if (token === "{" || token === "[") {
      indent += empty ? "" : "  ";
      out.push(token + (empty ? "" : "\n" + indent));
    } else if (token === "}" || token === "]") {
      const wasEmpty = all[i - 1] === (token === "}" ? "{" : "[");
      if (!wasEmpty) indent = indent.slice(2);
      out.push((wasEmpty ? "" : "\n" + indent) + token);
    } else if (token === ",") out.push(",\n" + indent);
    else if (token === ":") out.push(": ");
    else out.push(make("span", all[i + 1] === ":" ? "key" : token[0] === '"' ? "string" : "literal", token));
  });
  return out;
}
