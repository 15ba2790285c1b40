"""What must hold on every page, whichever it is.

Must never pass over a page that could not be looked at.
"""

import json
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

#: WCAG 2.2 AA and everything below it; without `wcag22aa` axe does not look at the size of targets.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

LOCALES = Path(__file__).parents[3] / "crates/labward-console/locales"

FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"


def accessible(page) -> list[str]:
    """What axe finds."""
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    faults = []
    for one in found:
        node = one["nodes"][0]
        faults.append(f"axe {one['id']} ({len(one['nodes'])} ×): {node['html'][:200]} {node['failureSummary'][:200]}")
    return faults


def fits(page) -> list[str]:
    """Whether the page is wider than the window."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{over} px wider than the window"] if over > 0 else []


def texts(language: str) -> dict[str, str]:
    """The texts of a language, without those that hold places."""
    found = {}
    for line in (LOCALES / f"{language}.ftl").read_text().splitlines():
        match = re.match(r"([a-z][a-z0-9-]*) = (.+)$", line)
        if match and "{" not in match[2]:
            found[match[1]] = match[2].strip()
    return found


def translated(page, language: str) -> list[str]:
    """No key instead of a text, and nothing of another language, where the page does not say so."""
    shown = page.evaluate(
        """() => {
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const own = document.documentElement.lang;
          while (walker.nextNode()) {
            const text = walker.currentNode.textContent.trim();
            const within = walker.currentNode.parentElement.closest("[lang]");
            if (text && within.lang === own) found.push(text);
          }
          return found;
        }"""
    )
    faults = []
    if page.evaluate("document.documentElement.lang") != language:
        faults.append(f"the page says that it is not in {language}")
    ours = texts(language)
    other = texts("en" if language == "es" else "es")
    # English is what another program said, as a quotation, what a language calls itself, and what
    # describes the API to who writes programs.
    marked = page.evaluate(
        """() => [...document.body.querySelectorAll("[lang]")]
            .filter((one) => one.lang !== document.documentElement.lang)
            .filter((one) => one.tagName !== "Q" && !one.hreflang && one.checkVisibility())
            .filter((one) => !one.closest("[data-for-programs]"))
            .map((one) => one.textContent.trim().slice(0, 100))"""
    )
    faults += [f"marked as another language: {text}" for text in marked]
    keys, words = set(ours), set(ours.values())
    foreign = {text for text in other.values() if len(text) > 3 and text not in words}
    for text in shown:
        if text in keys and "-" in text:
            faults.append(f"a key instead of a text: {text}")
        if text in foreign:
            faults.append(f"not in {language}: {text}")
    return faults


def keyboard(page) -> list[str]:
    """Tab alone reaches everything that can be used, and it is seen where the focus is."""
    # Buttons of one choice are one stop; the arrows go on from there.
    wanted = page.evaluate(
        """(selector) => {
          const all = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
          const groups = new Set();
          let number = 0;
          for (const one of all) {
            if (one.disabled || one.tabIndex < 0) continue;
            if (one.type === "radio") {
              if (groups.has(one.name)) continue;
              groups.add(one.name);
            }
            one.dataset.stop = number++;
          }
          document.activeElement?.blur();
          return number;
        }""",
        FOCUSABLE,
    )
    # A field of a date has several stops, and its own button shows the focus inside it.
    reached, seen, unseen = set(), set(), {}
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const style = getComputedStyle(one);
              const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
              const radio = one.type === "radio" && one.name
                ? document.querySelector(`input[type=radio][name="${one.name}"][data-stop]`) : one;
              return [radio.dataset.stop ?? "", seen, one.outerHTML.slice(0, 120)];
            }"""
        )
        if stop is None:
            continue
        reached.add(stop[0])
        if stop[1]:
            seen.add(stop[0])
        else:
            unseen[stop[0]] = f"the focus is not seen on {stop[2]}"
    reached.discard("")
    missed = [str(number) for number in range(wanted) if str(number) not in reached]
    names = page.evaluate(
        "(stops) => stops.map((stop) => document.querySelector(`[data-stop=\"${stop}\"]`).outerHTML.slice(0, 120))",
        missed,
    )
    unseen = [fault for stop, fault in unseen.items() if stop in reached and stop not in seen]
    return [f"Tab does not reach {name}" for name in names] + unseen[:3]


def no_patient(page, words: list[str]) -> list[str]:
    """Nothing of a patient in what the browser keeps: address and title."""
    kept = json.dumps([page.url, page.title()])
    return [f"{word} stands in the address or the title" for word in words if word.lower() in kept.lower()]
