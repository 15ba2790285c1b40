"""What people do at the console, in a real browser: each scene ends with what they must see."""

import csv
import hashlib
import json
import re
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import expect

import checks
import pages
from device import give_device
from lab import PASSWORD, Lab


#: An advisory about versions of one product, as its publisher would write it.
ADVISORY = {
    "document": {
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "title": "Siemens Healthineers DCA Vantage",
        "publisher": {"category": "vendor", "name": "Example", "namespace": "https://psirt.example"},
        "tracking": {
            "id": "EX-2026-1",
            "version": "1",
            "status": "final",
            "initial_release_date": "2026-01-01T00:00:00Z",
            "current_release_date": "2026-01-01T00:00:00Z",
            "revision_history": [{"number": "1", "date": "2026-01-01T00:00:00Z", "summary": "x"}],
        },
    },
    "product_tree": {
        "branches": [
            {
                "category": "vendor",
                "name": "Siemens Healthineers",
                "branches": [
                    {
                        "category": "product_name",
                        "name": "DCA Vantage",
                        "branches": [
                            {
                                "category": "product_version_range",
                                "name": "< 04.05",
                                "product": {"product_id": "P1", "name": "DCA Vantage < 04.05"},
                            }
                        ],
                    }
                ],
            }
        ]
    },
    "vulnerabilities": [
        {
            "cve": f"CVE-2026-{number}",
            "product_status": {"known_affected": ["P1"]},
            "remediations": [{"category": "vendor_fix", "details": "Update to 04.05.", "product_ids": ["P1"]}],
        }
        for number in range(1000, 1013)
    ],
}


#: The EICAR test file, which is harmless and which every scanner must find; in two parts, so that this file is none.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def join(page, lab: Lab, code: str, login: str) -> None:
    """Uses an invitation."""
    page.goto(f"{lab.base}/join#{code}")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("main form button")
    page.wait_for_url(lab.base + "/")


def sign_in_by_keyboard(page, lab: Lab, login: str) -> None:
    page.goto(lab.base + "/sign-in")
    expect(page.locator("#login")).to_be_focused()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lab.base + "/")


def first_message_is_seen_live(page, lab: Lab) -> None:
    page.goto(lab.base + "/flow")
    row = page.locator("#live tr", has=page.locator("th", has_text=re.compile("^hl7$")))
    accepted = row.locator("td").nth(4)
    expect(accepted).to_have_text("0")
    lab.send("xn550")
    # Nobody touches the page.
    expect(accepted).to_have_text("1", timeout=15_000)


def held_message_is_released(page, lab: Lab) -> None:
    page.goto(lab.base + "/")
    task = page.locator("#live .task", has=page.locator("a[href='/messages?state=held']"))
    expect(task).to_have_count(0)
    lab.send("narrow", kind="ADT^A08^ADT_A01")
    lab.send("narrow", kind="ADT^A08^ADT_A01")
    expect(task).to_be_visible(timeout=15_000)
    task.locator("a").click()
    page.locator("main tbody a").first.click()
    page.check("#decide-release")
    # A reason is asked for before anything is sent.
    page.locator("form[action$='/decide'] button").click()
    assert page.url.endswith(tuple("0123456789")), page.url
    page.fill("#why-decide", "the ward called: it is theirs")
    page.locator("form[action$='/decide'] button").click()
    page.wait_for_url("**done=released")
    expect(page.locator("[role=status]").first).to_be_visible()


def patient_is_found_and_read(page, lab: Lab) -> None:
    pages.report(page, lab.base)
    main = page.locator("main")
    expect(main).to_contain_text("Hemoglobin")
    expect(main).to_contain_text("9.1")
    expect(page.locator("td.flag").first).to_be_visible()
    assert "ivera" not in page.url + page.title(), page.url


def all_results_cumulate(page, lab: Lab) -> None:
    for value, flag in (("7.1", "N"), ("9.9", "N"), ("13.2", "H")):
        lab.send("xn550", value=value, flag=flag)
    pages.results(page, lab.base)
    row = page.locator("table.cumulative tr", has=page.locator("th", has_text="Leukocytes"))
    for value in ("13.2", "9.9", "7.1", "6.4"):
        expect(row).to_contain_text(value)
    # What the plot shows stands in a table beside it.
    section = page.locator("section.test", has=page.locator("h3", has_text="Leukocytes"))
    section.locator("summary").click()
    expect(section.locator("tbody tr")).to_have_count(row.locator("td.number > div").count())


def who_looked_is_told_to_the_patient(page, lab: Lab) -> None:
    pages.accesses(page, lab.base)
    main = page.locator("main")
    expect(main).to_contain_text("Ada")
    expect(main).to_contain_text(pages.WHY)
    expect(main).not_to_contain_text("Rivera")


def decision_about_a_safeguard_is_recorded(page, lab: Lab) -> None:
    pages.deciding(page, lab.base)
    form = page.locator("form[action='/safeguards/decide']")
    form.locator("[name=until]").fill((date.today() + timedelta(days=90)).isoformat())
    form.locator("[name=why]").fill("written down in our binder, section 4")
    form.locator("button.btn-primary").click()
    page.wait_for_url("**/safeguards?done=**")
    expect(page.locator("main")).to_contain_text("Ada")


def device_is_hit_and_its_risk_accepted(page, lab: Lab) -> None:
    lab.labward(
        "device",
        "add",
        "name=DCA",
        "manufacturer=Siemens Healthineers",
        "model=DCA VANTAGE",
        "version=04.04",
        "location=room 2",
    )
    advisory = Path(lab.settings["place"]) / "ex-2026-1.json"
    advisory.write_text(json.dumps(ADVISORY))
    lab.labward("advisory", "import", "--source", "psirt", str(advisory))
    page.goto(lab.base + "/hits")
    row = page.locator("main tbody tr", has_text="EX-2026-1")
    expect(row).to_contain_text("CVE-2026-1000")
    expect(row).to_contain_text("Affected")
    page.locator("input[name=hits]").first.check()
    expect(page.locator("#until")).not_to_be_visible()
    page.check("#kind-accept")
    page.fill("#until", (date.today() + timedelta(days=90)).isoformat())
    page.fill("#decide-why", "waiting for the vendor")
    page.locator("form[action='/hits/decide'] button.btn-primary").click()
    page.wait_for_url("**done=hits-decided")
    expect(row).to_contain_text("Risk accepted")
    with page.expect_download() as taken:
        page.click("a[href='/hits/calendar']")
    assert "BEGIN:VEVENT" in Path(taken.value.path()).read_text()


def what_nobody_expected_is_refused(page, lab: Lab) -> None:
    def said(server: str, port: int):
        times = {"first": "2026-11-01T08:00:00Z", "last": "2026-11-01T08:00:01Z"}
        return {
            "client": "10.9.0.7", "server": server, "protocol": "tcp", "port": port,
            "roles": "stated", "packets": 9, "bytes": 900, **times,
        }

    lab.labward("device", "add", "name=Monitor", "ip=10.9.0.7", "location=room 2")
    report = {
        "source": "mirror", "started": "2026-11-01T08:00:00Z", "ended": "2026-11-01T08:01:00Z",
        "packets": 18, "dropped_packets": 0, "sightings": [],
        "conversations": [said("10.9.0.1", 2575), said("93.184.216.34", 515)],
    }
    lab.post("traffic", report)
    page.goto(lab.base + "/devices/map")
    alert = page.locator("main .harm-high-edge", has_text="93.184.216.34")
    expect(alert).to_contain_text("Monitor")
    expect(alert).to_contain_text("public internet")
    alert.locator("input[name=why]").fill("nobody knows that address")
    alert.locator("button[value=refused]").click()
    page.wait_for_url("**done=conduit-decided")
    expect(alert).to_have_count(0)
    expect(page.locator("main")).to_contain_text("refused")
    # Another one waits, so that the page is looked at with an alert.
    report["conversations"] = [said("93.184.216.35", 443)]
    lab.post("traffic", report)


def changed_program_of_another_signer_is_decided_about(page, lab: Lab) -> None:
    told = {"name": "xn-550-pc", "baseline": "ab" * 32, "made": True, "changes": None, "alarms": []}
    told["counts"] = dict.fromkeys(("added", "changed", "moved", "removed", "rights", "unread", "updates"), 0)
    told["counts"]["files"] = 41_250
    lab.labward("person", "set", "Tool", "--role", "administrator,lab-manager,security-officer")
    lab.post("integrity/compared", told)
    names = {"was": "Example Analyzers GmbH", "is": "Somebody Else Ltd", "count": 1}
    told |= {"made": False, "changes": "cd" * 32, "alarms": [{"code": "signer-changed", "count": 1}]}
    told["counts"] |= {"changed": 3, "updates": 2}
    told["signers"] = [names | {"how": "other-signer"}, names | {"how": "same-signer", "is": names["was"], "count": 2}]
    lab.post("integrity/compared", told)
    page.goto(lab.base + "/")
    page.click("main a[href='/malware/integrity']")
    page.click("main tbody th a")
    page.wait_for_url("**/malware/integrity/xn-550-pc")
    main = page.locator("main")
    expect(main).to_contain_text("Signed by somebody else than before")
    expect(main).to_contain_text("Somebody Else Ltd")
    page.fill("#why", "the maker was sold, and its service said so")
    page.click("button[value=expected]")
    page.wait_for_url("**done=integrity-decided")
    expect(main).to_contain_text("As it should be")
    # Others wait, so that the pages are looked at with some.
    lab.post("integrity/compared", told | {"changes": "ef" * 32})
    lab.labward("person", "set", "Tool", "--role", "administrator,lab-manager")


def malware_is_taken_out_and_given_back_by_two_people(page, lab: Lab, eli) -> None:
    sent = lab.send("xn550", attached=EICAR).read_bytes()
    page.goto(lab.base + "/malware")
    found = page.locator("main .task", has_text="Malware in a message from xn550").first
    expect(found).to_contain_text("It was taken out")
    found.locator("a").first.click()
    page.wait_for_url(re.compile(r"/malware/\d+$"))
    main = page.locator("main")
    expect(main).to_contain_text("segment OBX 4, field 5")
    expect(main).not_to_contain_text("Rivera")
    detection = page.url
    page.locator("a[href^='/malware/quarantine/']").first.click()
    page.wait_for_url(re.compile(r"/malware/quarantine/\d+$"))
    item = page.url
    sha256 = re.search(r"[0-9a-f]{64}", main.text_content())[0]
    # One person asks, and cannot agree.
    page.locator("summary", has_text="Ask for it").click()
    page.fill("#ask-why", "the vendor says that it is their test")
    page.click("form:has(#ask-why) button")
    page.wait_for_url("**done=quarantine-asked")
    expect(main).to_contain_text("another person has to agree")
    expect(page.locator("form[action$='/decide']")).to_have_count(0)
    # Another one agrees and takes it.
    eli.goto(item)
    eli.fill("#decide-why", "the vendor confirmed it by telephone")
    eli.click("button[value=approve]")
    eli.wait_for_url("**done=quarantine-approved")
    with eli.expect_download() as started:
        eli.click("form[action$='/download'] button")
    file = started.value
    assert re.fullmatch(r"quarantine-\d+\.bin", file.suggested_filename), file.suggested_filename
    data = Path(file.path()).read_bytes()
    assert hashlib.sha256(data).hexdigest() == sha256
    assert data.rstrip(b"\r") == sent.rstrip(b"\r")
    # The page offers it once.
    eli.goto(item)
    expect(eli.locator("form[action$='/download']")).to_have_count(0)
    page.goto(detection)
    page.fill("#why", "a test file; the vendor was told")
    page.click("button[value=handled]")
    page.wait_for_url("**done=malware-closed")
    # Another one stays open, so that the pages are looked at with one.
    lab.send("xn550", attached=EICAR)


def emergency_access_is_reviewed_by_a_second_person(page, lab: Lab, dora) -> None:
    pages.glass_open(dora, lab.base)
    banner = dora.locator("main form[action='/break-glass/end']")
    expect(banner).to_be_visible()
    dora.fill("#mrn", "MRN-4711")
    dora.click("main form[action='/records'] button")
    dora.locator("form[action='/records/view'] button").first.click()
    expect(dora.locator("main")).to_contain_text("Hemoglobin")
    expect(banner).to_be_visible()
    pages.glass_end(dora, lab.base)
    expect(banner).to_have_count(0)
    entries = lab.json("ledger", "list", "--limit", "1000")["entries"]
    marked = [entry["action"] for entry in entries if "break_glass" in entry.get("facts", {})]
    assert marked == ["record.searched", "record.shown"], entries[-4:]
    page.goto(lab.base + "/")
    task = page.locator("main .task", has_text="Dora opened emergency access")
    task.locator("a").click()
    expect(page.locator("main tbody tr")).to_have_count(2)
    expect(page.locator("main")).to_contain_text(pages.EMERGENCY)
    page.check("#appropriate")
    page.fill("#note", "the ward confirms it")
    page.locator("main form[action^='/break-glass/reviews/'] button").click()
    page.wait_for_url("**done=reviewed")
    expect(page.locator("main")).to_contain_text("the ward confirms it")
    page.goto(lab.base + "/")
    expect(task).to_have_count(0)
    # One more waits for a review, so that its form is looked at.
    pages.glass_open(dora, lab.base)
    pages.glass_end(dora, lab.base)


def ledger_verifies(page, lab: Lab) -> None:
    pages.verified(page, lab.base)
    expect(page.locator("main section[role=status] .good")).to_be_visible()


def link_is_edited_seen_first_and_put_in_force(page, lab: Lab) -> None:
    page.goto(lab.base + "/settings/edit?table=link&name=hl7")
    # By keyboard alone.
    page.locator("main details > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#limits-frame-seconds").focus()
    page.keyboard.type("45")
    page.keyboard.press("Enter")
    change = page.locator("main tbody tr", has_text="limits.frame_seconds")
    expect(change).to_contain_text("30")
    expect(change).to_contain_text("45")
    # A reason is asked for before anything is sent.
    page.locator("form[action='/settings/change'] button").click()
    assert page.url.endswith("/settings/preview"), page.url
    page.locator("#why").focus()
    page.keyboard.type("the analyzer is slow")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings?done=changed")
    lab.send("xn550")


def list_is_taken_out(page, lab: Lab) -> None:
    page.goto(lab.base + "/ledger?action=message.")
    with page.expect_download() as started:
        page.click("form[action='/export/entries'] button")
    file = started.value
    assert re.fullmatch(r"entries-\d{4}-\d\d-\d\d-action\.csv", file.suggested_filename)
    data = Path(file.path()).read_bytes()
    assert data.startswith(b"\xef\xbb\xbfn,time,actor,action,"), data[:60]
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert rows and all(row["action"].startswith("message.") for row in rows)
    facts = lab.json("ledger", "list", "--newest", "--action", "list.exported")["entries"][0]["facts"]
    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["rows"] == len(rows)


def colleague_is_deactivated_mid_session(page, lab: Lab, new_page) -> None:
    page.goto(lab.base + "/people")
    page.fill("#new-name", "Bea")
    page.check("#role-it")
    page.click("form[action='/people'] button")
    link = page.locator("section[role=status] a").get_attribute("href")
    bea = new_page()
    join(bea, lab, link.split("#")[1], "bea")
    bea.goto(lab.base + "/flow")
    expect(bea.locator("h1")).to_be_visible()
    page.goto(lab.base + "/people")
    row = page.locator("main tr", has=page.locator("th", has_text=re.compile("^Bea$"))).first
    row.locator("summary").click()
    row.locator("button.btn-danger").click()
    page.wait_for_url("**done=removed")
    bea.goto(lab.base + "/flow")
    assert bea.url == lab.base + "/sign-in", bea.url
    bea.context.close()


def pages_read_without_script(browser, lab: Lab) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lab.base + "/sign-in")
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_url(lab.base + "/")
    links = page.locator("header nav a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert len(links) >= 7, links
    for link in links:
        answer = page.goto(lab.base + link)
        assert answer.status == 200, (link, answer.status)
        expect(page.locator("h1")).to_be_visible()
    pages.report(page, lab.base)
    context.close()


def report_prints(page, lab: Lab) -> None:
    pages.report(page, lab.base)
    page.emulate_media(media="print")
    try:
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator(".no-print:visible")).to_have_count(0)
    finally:
        # "null" is how the emulation ends.
        page.emulate_media(media="null")
    file = lab.pictures / "report.pdf"
    page.pdf(path=file, format="Letter", print_background=False)
    data = file.read_bytes()
    assert data.startswith(b"%PDF") and len(data) > 10_000, len(data)
    assert len(re.findall(rb"/Type /Page\b", data)) >= 1


def signing_out_leaves_nothing(page, lab: Lab) -> None:
    page.goto(lab.base + "/people")
    page.click("header form[action='/sign-out'] button")
    page.wait_for_url("**/sign-in**")
    page.go_back()
    page.wait_for_url("**/sign-in**")


def passkey_signs_in_switches_person_and_ends(page, lab: Lab) -> None:
    give_device(page, is_touched=True)
    page.goto(lab.base + "/me")
    page.fill("#passkey-name", "blue key")
    page.fill("#passkey-password", PASSWORD)
    page.click("form[action='/me/passkeys'] button")
    page.wait_for_url("**done=passkey-added")
    row = page.locator("main tr", has=page.locator("th", has_text="blue key"))
    expect(row).to_have_count(1)
    page.click("header form[action='/sign-out'] button")
    page.wait_for_url("**/sign-in**")
    # Nothing but Tab and Enter from here.
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.pathname") == "/sign-in/passkey":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(lab.base + "/")
    before = {session["number"] for session in lab.json("session", "list")}
    page.click("header form[action='/switch'] button")
    page.wait_for_url(lab.base + "/")
    after = {session["number"] for session in lab.json("session", "list")}
    assert len(before - after) == 1 and len(after - before) == 1, (before, after)
    page.goto(lab.base + "/me")
    row.locator("summary").click()
    row.locator("input[type=password]").fill(PASSWORD)
    row.locator("button").click()
    page.wait_for_url("**done=passkey-removed")
    expect(row).to_have_count(0)
    page.click("header form[action='/switch'] button")
    # The device still has it; the console does not.
    expect(page.locator(".alert-danger[role=alert]")).to_be_visible()
    assert page.url == lab.base + "/sign-in/passkey", page.url


def misspelt_name_is_found_while_it_is_typed(page, lab: Lab) -> None:
    def searches() -> list[dict]:
        return lab.json("ledger", "list", "--newest", "--limit", "1000", "--action", "record.searched")["entries"]

    before = searches()
    page.goto(lab.base + "/records")
    # The reason comes first, and nothing is asked for without one.
    expect(page.locator("#why")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("Riv", delay=20)
    page.wait_for_timeout(1_500)
    assert searches() == before, "a search without a reason"
    page.keyboard.press("Shift+Tab")
    page.keyboard.type(pages.WHY, delay=20)
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    page.wait_for_timeout(1_500)
    first = searches()
    assert len(first) == len(before) + 1, (before, first)
    # One more entry for what was typed in one go, and nobody presses Enter.
    page.keyboard.type("ear", delay=40)
    said = page.locator("#said")
    hit = page.locator("#hits section h3", has_text="M••• R•••")
    expect(hit).to_be_visible()
    expect(said).to_have_text(re.compile(r"^1 "))
    page.wait_for_timeout(1_500)
    second = searches()
    assert len(second) == len(first) + 1, (first, second)
    assert page.url == lab.base + "/records" and "ivera" not in page.content(), page.url
    faults = checks.accessible(page)
    assert not faults, faults
    # Enter goes to the hits that stand there, and asks for nothing.
    page.locator("#name").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#hits-count")).to_be_focused()
    assert searches() == second
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/patients/view")
    expect(page.locator("main")).to_contain_text("Rivera")

