// How long the session lasts: a warning while there is time to stay, and at its end nothing of the page
// is left on the screen. Asking how long it lasts is no use of it; staying is asked of a person.
(() => {
  const dialog = document.getElementById("session");
  if (!dialog) return;
  const LEAST_S = 20, ASK_EVERY_S = 5, TOLD = "labward-told";
  const stay = dialog.querySelector("form[data-stay]");
  const after = (seconds) => Date.now() + 1000 * seconds;
  let idle = after(dialog.dataset.idle), end = after(dialog.dataset.left);
  let asking = false, asked = 0;
  // Seconds before the end; a third of a short session, never less than a person needs to read it.
  const warning = { idle: Math.max(LEAST_S, Math.min(120, dialog.dataset.idle / 3)), absolute: 300 };
  const state = () => {
    const kind = end <= idle ? "absolute" : "idle", left = (Math.min(idle, end) - Date.now()) / 1000;
    return { kind, left, isNear: left <= warning[kind] };
  };
  // What cannot be prolonged is said once, and not again on each page until then.
  const isTold = () => Math.abs(Number(sessionStorage.getItem(TOLD)) - end) < 60_000;
  const isCovered = () => "covered" in document.documentElement.dataset;

  const take = (headers) => {
    const said = headers.get("labward-session")?.split(" ").map(Number);
    if (said?.length !== 2 || said.some(Number.isNaN)) return;
    [idle, end] = said.map(after);
  };
  const show = (what) => {
    for (const one of dialog.querySelectorAll("[data-when]")) one.hidden = !one.dataset.when.split(" ").includes(what);
    dialog.dataset.says = what;
    const at = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
    for (const time of dialog.querySelectorAll("time")) time.textContent = at.format(Math.min(idle, end));
    if (!dialog.open) dialog.showModal();
    [...dialog.querySelectorAll("[data-first]")].find((one) => one.checkVisibility())?.focus();
  };
  const leave = () => {
    for (const one of [...document.body.children]) if (one !== dialog) one.remove();
    location.replace("/sign-in");
  };
  const cover = () => {
    document.documentElement.dataset.covered = "";
    if (dialog.dataset.says !== "over" || !dialog.open) show("over");
  };
  const uncover = () => {
    delete document.documentElement.dataset.covered;
    if (dialog.open) dialog.close();
  };

  // Another page of the same session may have been used meanwhile.
  const ask = async (path, body) => {
    asking = true;
    asked = Date.now();
    try {
      const answer = await fetch(path, {
        method: body ? "POST" : "GET", body, redirect: "error", headers: { "HX-Request": "true" } });
      if (answer.status === 401) leave();
      take(answer.headers);
      return answer.ok;
    } catch {
      return false;
    } finally {
      asking = false;
    }
  };
  const look = async () => {
    if (asking || Date.now() - asked < 1000 * ASK_EVERY_S) return;
    if (await ask("/session?live=1")) judge();
  };
  const judge = () => {
    const { kind, left, isNear } = state();
    if (left <= 0) cover();
    else if (!isNear || (kind === "absolute" && isTold())) {
      if (dialog.open || isCovered()) uncover();
    } else if (dialog.dataset.says !== kind || !dialog.open) {
      delete document.documentElement.dataset.covered;
      show(kind);
    }
  };
  const tick = () => {
    const { left, isNear } = state();
    if (left <= 0) cover();
    if (isNear || dialog.open) look();
  };

  stay.addEventListener("submit", async (event) => {
    event.preventDefault();
    const stayed = await ask("/session", new URLSearchParams(new FormData(stay)));
    if (stayed) judge(); else show("failed");
  });
  dialog.querySelector("[data-go-on]").addEventListener("click", () => {
    sessionStorage.setItem(TOLD, end);
    dialog.close();
  });
  dialog.addEventListener("cancel", (event) => {
    if (dialog.dataset.says === "absolute") sessionStorage.setItem(TOLD, end); else event.preventDefault();
  });
  document.addEventListener("htmx:after:request", (event) => {
    const headers = event.detail?.ctx?.response?.headers;
    if (headers) take(headers);
  });
  // A computer that slept may wake long after the end.
  for (const woken of ["visibilitychange", "focus", "pageshow"]) window.addEventListener(woken, tick);
  setInterval(tick, 1000);
})();
