// Runs before the first paint, so that nothing flashes: a choice against the
// system's preference is remembered.
(() => {
  try {
    const theme = localStorage.getItem("logwisp.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch { /* the system's preference it is */ }
})();
