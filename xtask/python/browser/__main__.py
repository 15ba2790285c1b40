"""The console in a real browser: every page in each theme, language and width, and what people do.

Started by `cargo xtask browser`, which runs a server and writes where everything is into a file. It
ends with 1 if anything was not as it must be, and names all of it.
"""

import itertools
import json
import sys
import time
import traceback
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

import checks
import first_run
import guide
import scenes
import sign_on
from lab import Lab
from pages import OUTSIDE, PAGES

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
#: Every theme with every language, and every theme with every width.
LOOKS = [
    ("light", "en", "wide", WIDE),
    ("dark", "en", "wide", WIDE),
    ("light", "es", "narrow", NARROW),
    ("dark", "es", "narrow", NARROW),
]
PATIENT = ["rivera", "marisol", "4711", "1984"]


class Walk:
    """One run, and everything that was not as it must be."""

    def __init__(self, lab: Lab, browser):
        self.lab, self.browser, self.faults = lab, browser, []
        self.guide = guide.Guide(lab.settings)

    def page(self, **options):
        """A new browser window, with a profile of its own, that reports what its console says."""
        context = self.browser.new_context(viewport=WIDE, **options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self.heard(page, message))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        return page

    def heard(self, page, message):
        # What the provider's own pages lack is none of ours.
        if page.url.startswith(self.lab.settings["provider"]["issuer"]):
            return
        # The browser reports an answer of 4xx, which some pages are.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.faults.append(f"{page.url}: {message.text}")

    def scene(self, act, *arguments):
        name, start = act.__name__.replace("_", " "), time.monotonic()
        try:
            act(*arguments)
            print(f"   {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception:
            self.faults.append(f"{name}: {traceback.format_exc(limit=-2)}")
            print(f"   NOT {name}", flush=True)

    def look(self, page, name, way, look):
        """One page in one look."""
        theme, language, width, _ = look
        try:
            way(page, self.lab.base)
            page.wait_for_load_state()
            faults = checks.accessible(page) + checks.fits(page) + checks.translated(page, language)
            faults += checks.no_patient(page, PATIENT)
            picture = self.lab.pictures / f"{name}-{theme}-{language}-{width}.png"
            page.screenshot(path=picture, full_page=True)
            if (theme, width) == ("light", "wide"):
                faults += checks.keyboard(page)
        except Exception:
            faults = [traceback.format_exc(limit=-2)]
        self.faults += [f"{name} ({theme}, {language}, {width}): {fault}" for fault in faults]

    def looks(self, page):
        """Every page in every look."""
        missing = set(page.locator("header nav a").evaluate_all("(all) => all.map((one) => one.pathname)"))
        for look in LOOKS:
            theme, language, width, size = look
            start = time.monotonic()
            page.set_viewport_size(size)
            page.goto(self.lab.base + "/me")
            page.select_option("#theme", theme)
            page.select_option("#language", language)
            page.click("form[action='/me'] button")
            page.wait_for_url("**done=saved")
            for name, way in PAGES.items():
                self.look(page, name, way, look)
                missing.discard(page.evaluate("location.pathname"))
            print(f"   {theme}, {language}, {width}: {len(PAGES)} pages ({time.monotonic() - start:.1f} s)", flush=True)
        self.faults += [f"{path} is in the navigation and was not looked at" for path in missing]

    def outside(self):
        """The pages before a session; they follow the browser's wishes."""
        for look in LOOKS:
            theme, language, _, size = look
            page = self.page(color_scheme=theme, locale=f"{language}-US")
            page.set_viewport_size(size)
            for name, way in OUTSIDE.items():
                self.look(page, name, way, look)
            page.context.close()


def for_the_guides(walk: Walk, page, lab: Lab, launch) -> None:
    """What the guides show, and nothing else."""
    walk.scene(scenes.first_message_is_seen_live, page, lab)
    dora = walk.page()
    walk.scene(scenes.join, dora, lab, lab.add("Dora", "clinical-staff"), "dora")
    walk.scene(guide.pictures, walk.guide, page, lab, dora, walk.page)
    walk.scene(first_run.walk_through, walk, launch, [])


def everything(walk: Walk, page, lab: Lab, launch, provider) -> None:
    """Every scene, every page and every picture."""
    walk.scene(scenes.first_message_is_seen_live, page, lab)
    walk.scene(scenes.held_message_is_released, page, lab)
    lab.send("xn550", value="12.8", flag="H")
    walk.scene(scenes.patient_is_found_and_read, page, lab)
    walk.scene(scenes.misspelt_name_is_found_while_it_is_typed, page, lab)
    walk.scene(scenes.all_results_cumulate, page, lab)
    walk.scene(scenes.who_looked_is_told_to_the_patient, page, lab)
    dora = walk.page()
    walk.scene(scenes.join, dora, lab, lab.add("Dora", "clinical-staff"), "dora")
    walk.scene(scenes.emergency_access_is_reviewed_by_a_second_person, page, lab, dora)
    walk.scene(scenes.decision_about_a_safeguard_is_recorded, page, lab)
    walk.scene(scenes.device_is_hit_and_its_risk_accepted, page, lab)
    walk.scene(scenes.what_nobody_expected_is_refused, page, lab)
    eli = walk.page(locale="en-US")
    walk.scene(scenes.join, eli, lab, lab.add("Eli", "lab-manager"), "eli")
    walk.scene(scenes.malware_is_taken_out_and_given_back_by_two_people, page, lab, eli)
    walk.scene(scenes.changed_program_of_another_signer_is_decided_about, page, lab)
    walk.scene(scenes.ledger_verifies, page, lab)
    walk.scene(scenes.link_is_edited_seen_first_and_put_in_force, page, lab)
    walk.scene(scenes.list_is_taken_out, page, lab)
    other = walk.page(locale="en-US")
    walk.scene(sign_on.linked_person_signs_in_with_the_role_of_their_group, other, lab, provider)
    walk.scene(sign_on.roles_follow_the_group_at_the_next_sign_in, other, lab, provider)
    walk.scene(sign_on.who_is_not_linked_stays_outside, walk.page(locale="en-US"), lab, provider)
    walk.scene(scenes.colleague_is_deactivated_mid_session, page, lab, walk.page)
    walk.scene(scenes.report_prints, page, lab)
    walk.scene(guide.pictures, walk.guide, page, lab, dora, walk.page)
    walk.looks(page)
    walk.outside()
    walk.scene(scenes.pages_read_without_script, walk.browser, lab)
    walk.scene(scenes.signing_out_leaves_nothing, page, lab)
    walk.scene(scenes.sign_in_by_keyboard, page, lab, "ada")
    walk.scene(scenes.passkey_signs_in_switches_person_and_ends, page, lab)
    walk.scene(first_run.walk_through, walk, launch, LOOKS)


def main() -> int:
    settings = json.loads(Path(sys.argv[1]).read_text())
    lab = Lab(settings)
    expect.set_options(timeout=15_000)
    # Before the browser, which reads whom it trusts when it starts.
    provider = sign_on.Provider(settings)
    with sync_playwright() as playwright:

        def launch(home):
            environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
            return playwright.chromium.launch(
                executable_path=settings["browser"], args=ARGUMENTS, env=environment
            )

        browser = launch(settings["home"])
        walk = Walk(lab, browser)
        page = walk.page(locale="en-US")
        code = lab.add("Ada", "administrator,security-officer,lab-manager,clinical-staff")
        walk.scene(scenes.join, page, lab, code, "ada")
        if settings["only_guide"]:
            for_the_guides(walk, page, lab, launch)
        else:
            everything(walk, page, lab, launch, provider)
        walk.faults += walk.guide.faults()
        browser.close()
    # What a scene could not do first: many faults of one page must not hide it.
    faults = sorted(walk.faults, key=lambda fault: "Traceback" not in fault)
    for fault in itertools.islice(faults, 60):
        print(f"   FAULT {fault}", flush=True)
    print(f"   {len(walk.faults)} faults; pictures in {lab.pictures}", flush=True)
    return 1 if walk.faults else 0


if __name__ == "__main__":
    sys.exit(main())
