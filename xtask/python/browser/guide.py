"""The pictures of the guides: the same pages in English and in Spanish, in one window, cut to what matters.

Must never show anybody but the walk's own people, a link that opens anything, or another time than the
one that all pictures have: a picture changes when its page does.
"""

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

import pages
from lab import PASSWORD, PATIENT, Lab

WINDOW = {"width": 1100, "height": 800}
#: Pages are cut where what matters ends, and here at the latest.
LONGEST = 1500
MARGIN = 16
COLOURS = 64
LANGUAGES = ["en", "es"]
GUIDES = Path(__file__).parents[3] / "docs/guide"
#: Each language has a patient and a colleague of its own, so that nobody reads the other one's reasons.
PATIENTS = {"en": PATIENT, "es": ("MRN-4712", "Vega", "Camila")}
WHY = {"en": "the ward asks for the result", "es": "la planta pide el resultado"}
EMERGENCY = {"en": "unconscious in the emergency room", "es": "inconsciente en urgencias"}
COLLEAGUES = {"en": ("Sam Ortega", "sam.ortega"), "es": ("Lucía Prieto", "lucia.prieto")}
#: What is another thing in each run.
SETTLED = r"""(texts) => {
  for (const time of document.querySelectorAll("time")) time.textContent = texts.time;
  for (const link of document.querySelectorAll("[role=status] .code a")) link.textContent = texts.link;
  // A code for a phone is another one in each run, and opens the lab.
  for (const code of document.querySelectorAll("svg.qr, svg.qr + p")) code.remove();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const until = /\d{4}-\d\d-\d\d \d\d:\d\d UTC/g;
    walker.currentNode.textContent = walker.currentNode.textContent.replace(until, "2026-03-05 10:42 UTC");
    for (const [from, to] of texts.others) {
      walker.currentNode.textContent = walker.currentNode.textContent.replaceAll(from, to);
    }
  }
  document.activeElement?.blur();
  scrollTo({ top: 0, behavior: "instant" });
}"""
HOST = "lab.example"
TIMES = {"en": "3/2/26, 10:42:07 AM", "es": "2/3/26, 10:42:07"}


class Guide:
    """Takes the pictures, and knows which it took."""

    def __init__(self, settings: dict):
        self.folder, self.taken = Path(settings["guide"]), set()

    def take(self, page, language: str, name: str, first: str = "header", last: str = "main", others=()):
        """From the element `first` to the element `last`, over the whole width."""
        shown = page.evaluate("document.documentElement.lang")
        assert shown == language, f"{name} is in {shown}"
        link = f"https://{HOST}:8443/join#…"
        page.mouse.move(0, 0)
        others = [("localhost", HOST), *others]
        page.evaluate(SETTLED, {"time": TIMES[language], "link": link, "others": others})
        top = 0 if first == "header" else page.locator(first).first.bounding_box()["y"] - MARGIN
        box = page.locator(last).last.bounding_box()
        height = min(box["y"] + box["height"] + MARGIN - top, LONGEST)
        clip = {"x": 0, "y": max(top, 0), "width": WINDOW["width"], "height": height}
        data = page.screenshot(clip=clip, full_page=True, animations="disabled", caret="hide")
        file = self.folder / language / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        picture.save(file, optimize=True)
        self.taken.add(f"{language}/{name}")

    def faults(self) -> list[str]:
        """Pictures that a guide shows and that were not taken."""
        shown = set()
        for guide in GUIDES.rglob("*.md"):
            shown.update(re.findall(r"pictures/((?:en|es)/[a-z-]+)\.png", guide.read_text()))
        return [f"no picture of docs/guide/pictures/{name}.png was taken" for name in sorted(shown - self.taken)]


def in_language(page, base: str, language: str) -> None:
    page.set_viewport_size(WINDOW)
    page.goto(base + "/me")
    page.select_option("#theme", "light")
    page.select_option("#language", language)
    page.click("form[action='/me'] button")
    page.wait_for_url("**done=saved")


def pictures(guide: Guide, page, lab: Lab, dora, new_page) -> None:
    """Those of the lab that runs; `page` is Ada's, who has every role, and `dora` is at the bench."""
    for language in LANGUAGES:
        in_language(page, lab.base, language)
        in_language(dora, lab.base, language)
        if PATIENTS[language] != PATIENT:
            lab.send("xn550", patient=PATIENTS[language])
        a_colleague(guide, page, lab.base, language, new_page)
        emergency(guide, page, dora, lab.base, language)
        who_looked(guide, page, lab.base, language)
    in_language(page, lab.base, "en")


def a_colleague(guide: Guide, page, base: str, language: str, new_page) -> None:
    name, login = COLLEAGUES[language]
    page.goto(base + "/people")
    page.fill("#new-name", name)
    page.check("#role-clinical-staff")
    guide.take(page, language, "people-add", "main h2:has(+ form[action='/people'])", "form[action='/people']")
    page.click("form[action='/people'] button")
    invited = page.locator("section[role=status]")
    link = invited.locator("a").get_attribute("href")
    guide.take(page, language, "people-invited", last="section[role=status]")
    colleague = new_page(locale=f"{language}-US")
    colleague.set_viewport_size(WINDOW)
    colleague.goto(link)
    colleague.fill("#login", login)
    colleague.fill("#password", PASSWORD)
    colleague.fill("#again", PASSWORD)
    expect(colleague.locator("#code")).to_have_value(link.split("#")[1])
    colleague.fill("#code", "…")
    guide.take(colleague, language, "join", last="main form")
    colleague.context.close()


def emergency(guide: Guide, page, dora, base: str, language: str) -> None:
    dora.goto(base + "/break-glass")
    dora.fill("#why", EMERGENCY[language])
    guide.take(dora, language, "emergency-open", last="form[action='/break-glass/open']")
    dora.click("form[action='/break-glass/open'] button")
    dora.wait_for_url("**/records?done=**")
    dora.goto(base + "/records")
    dora.fill("#mrn", PATIENTS[language][0])
    guide.take(dora, language, "emergency-now", last="main form[action='/records']")
    dora.click("main form[action='/records'] button")
    dora.locator("form[action='/records/view'] button").first.click()
    expect(dora.locator("main")).to_contain_text("Hemoglobin")
    pages.glass_end(dora, base)
    pages.opening(page, base)
    guide.take(page, language, "emergency-review")


def who_looked(guide: Guide, page, base: str, language: str) -> None:
    page.goto(base + "/records")
    page.fill("#name", PATIENTS[language][1])
    page.fill("#why", WHY[language])
    page.click("main form button.btn-primary")
    buttons = page.locator("form[action='/patients/accesses'] button")
    expect(buttons.first).to_be_visible()
    guide.take(page, language, "patient-found", "#hits-count", "#hits section:first-of-type table")
    buttons.first.click()
    expect(page.locator("main tbody tr").first).to_be_visible()
    guide.take(page, language, "who-looked", "main table", "main tbody tr:nth-child(-n + 4)")
