// Runs before the first paint. Kept in a file of its own because the content policy allows no inline script.
// The key and the attribute are those of src/ui/theme.ts.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("peal-theme") || "system";
  } catch {
    // Storage may be closed to us; then the system decides.
  }
  const dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
