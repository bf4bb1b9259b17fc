// JSON as text: what is shown and copied has every digit that was sent, which a
// number of JavaScript has not.

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|"/g;

/**
 * @param {string} json
 * @returns {string[]}
 */
export const tokens = json => json.match(TOKENS) ?? [];

/**
 * The members of an object, values as they are written. An object that was cut
 * off has those that are whole.
 * @param {string} json
 * @returns {Generator<[key: string, value: string]>}
 */
export function* fields(json) {
  let depth = 0;
  let start = -1;
  let key = "";
  for (const m of json.matchAll(TOKENS)) {
    const token = m[0];
    if (token === '"') return; // what begins here is cut off
    if (depth === 1 && start >= 0 && (token === "," || token === "}")) {
      yield [unquote(key), json.slice(start, m.index).trim()];
      start = -1;
    } else if (depth === 1 && token === ":") start = m.index + 1;
    else if (depth === 1 && start < 0) key = token;
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
  }
}

/** The text of a string, anything else as it is written. @param {string} value */
export function unquote(value) {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value; // it was cut off
  }
}
