// Runs before the first paint, so that nothing flashes: a choice against the
// system's preference is remembered. The worker that reads the stream begins to
// load here, beside the modules of the page.
(() => {
  const here = document.currentScript;
  if (typeof SharedWorker !== "undefined" && here instanceof HTMLScriptElement) {
    const url = new URL("worker.js", here.src);
    Object.assign(globalThis, {logwispWorker: new SharedWorker(url, {type: "module", name: "logwisp"})});
  }
  try {
    const theme = localStorage.getItem("logwisp.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch { /* the system's preference it is */ }
})();
