// Runs before the first paint, so that nothing flashes: a choice against the
// system's preference is remembered. The worker that reads the stream begins to
// load here, beside the modules of the page; and where nothing else is asked for,
// to read.
(() => {
  const here = document.currentScript;
  if (typeof SharedWorker !== "undefined" && here instanceof HTMLScriptElement) {
    const url = new URL("worker.js", here.src);
    const {port} = new SharedWorker(url, {type: "module", name: "logwisp"});
    // As Stream.open would. If the page wants something else, it says so.
    const opened = {url: new URL("stream?name=viewer", document.baseURI).href, place: "tail=10000"};
    const sent = !location.search;
    if (sent) {
      port.postMessage({kind: "open", ...opened, lastID: "", serial: 1, visible: document.visibilityState === "visible"});
    }
    Object.assign(globalThis, {logwispEarly: {port, opened, sent}});
  }
  try {
    const theme = localStorage.getItem("logwisp.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch { /* the system's preference it is */ }
})();
