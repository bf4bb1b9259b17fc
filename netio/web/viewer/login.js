// The dialog that asks for a token where the server wants one, and changes it for
// a cookie that no script sees.

import {byID, part} from "./dom.js";

export class Login {
  /** @param {() => void} onDone there is a session now */
  constructor(onDone) {
    this.dialog = /** @type {HTMLDialogElement} */ (byID("login"));
    this.field = /** @type {HTMLInputElement} */ (part(this.dialog, "input"));
    this.onDone = onDone;
    part(this.dialog, "form").addEventListener("submit", e => {
      e.preventDefault();
      this.send();
    });
  }

  ask() {
    if (this.dialog.open) return;
    this.say("");
    this.dialog.showModal();
    this.field.focus();
  }

  /** @param {string} text */
  say(text) { part(this.dialog, "[role=alert]").textContent = text; }

  async send() {
    const answer = await fetch(new URL("login", document.baseURI), {
      method: "POST", headers: {"Content-Type": "text/plain"}, body: this.field.value, cache: "no-store",
    }).catch(() => null);
    if (!answer?.ok) {
      const body = await answer?.json().catch(() => null);
      this.say(body?.error ?? "The server does not answer");
      this.field.select();
      return;
    }
    this.field.value = "";
    this.dialog.close();
    this.onDone();
  }
}
