// Search as you type. It asks once for what was typed when that has settled: nothing typed for a while,
// the reason given, and each field that is filled complete. Each question is an entry of the ledger.
(() => {
  const form = document.querySelector("form[data-search]");
  if (!form || !window.htmx) return;
  const SETTLED_MS = 400, LETTERS_MIN = 3;
  const hits = document.getElementById("hits");
  const said = document.getElementById("said");
  const unasked = document.getElementById("unasked");
  let timer, asking, answered, goesThere = false;

  const text = (name) => form.elements[name].value.trim();
  const all = () => new URLSearchParams(new FormData(form)).toString();
  const isSettled = () => {
    const letters = text("name").match(/\p{L}/gu)?.length ?? 0, birth = text("birth_date");
    if (!text("why") || (text("name") && letters < LETTERS_MIN)) return false;
    if (birth && !/^\d{4}(-\d\d){0,2}$/.test(birth)) return false;
    // A year alone is half a date that somebody types.
    return letters > 0 || birth.length === 10 || text("mrn") !== "" || text("accession") !== "";
  };

  const ask = () => {
    clearTimeout(timer);
    asking = all();
    unasked.hidden = true;
    hits.setAttribute("aria-busy", "true");
    form.dispatchEvent(new Event("settled"));
  };
  const forget = () => {
    hits.replaceChildren();
    said.textContent = "";
    answered = undefined;
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!isSettled()) return forget();
      if (all() !== answered && all() !== asking) ask();
    }, SETTLED_MS);
  };
  const toHits = () => {
    goesThere = false;
    document.getElementById("hits-count")?.focus();
  };

  form.addEventListener("input", (event) => {
    // Numbers are exact: half of one may be another's. They are asked for when their field is left.
    const isExact = ["mrn", "accession", "authority"].includes(event.target.name);
    if (isExact || event.isComposing) clearTimeout(timer); else wait();
  });
  form.addEventListener("change", wait);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    goesThere = true;
    // What stands there already is not asked for, and recorded, a second time.
    if (all() === answered) {
      clearTimeout(timer);
      answered = undefined;
      toHits();
    } else if (all() !== asking) ask();
  });
  document.addEventListener("htmx:after:swap", () => {
    if (asking === undefined) return;
    const count = document.getElementById("hits-count");
    // What was refused may be asked again.
    answered = count ? asking : undefined;
    asking = undefined;
    hits.removeAttribute("aria-busy");
    if (goesThere) toHits(); else said.textContent = count?.textContent ?? "";
  });
  document.addEventListener("htmx:error", () => {
    asking = undefined;
    hits.removeAttribute("aria-busy");
    forget();
    unasked.hidden = false;
  });
})();
