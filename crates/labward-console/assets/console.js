// Times in the reader's own zone; the heading gets the focus after a form came back with a fault.
(() => {
  const language = document.documentElement.lang;
  const format = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
  const local = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = time.dateTime;
      time.textContent = format.format(at);
    }
  };
  local(document);
  document.addEventListener("htmx:after:swap", () => local(document));
  const code = document.querySelector("[data-from-hash]");
  if (code && !code.value && location.hash.length > 1) {
    code.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
  document.querySelector("[data-focus]")?.focus();
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
})();
