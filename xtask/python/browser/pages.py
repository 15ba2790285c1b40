"""Every page, and the way to it from a session that may see all of them."""

from playwright.sync_api import expect

from device import give_device
from lab import PASSWORD

WHY = "ward round"
EMERGENCY = "unconscious in the emergency room"


def plain(path: str):
    return lambda page, base: page.goto(base + path)


def message(page, base):
    page.goto(base + "/messages")
    page.locator("main tbody a").first.click()
    page.wait_for_url("**/messages/*")


def held(page, base):
    page.goto(base + "/messages?state=held")
    page.locator("main tbody a").first.click()
    page.wait_for_url("**/messages/*")


def hits(page, base):
    page.goto(base + "/records")
    page.fill("#why", WHY)
    page.fill("#name", "rivera")
    page.click("main form[action='/records'] button")
    expect(page.locator("#hits-count")).to_be_visible()


def report(page, base):
    hits(page, base)
    page.locator("form[action='/records/view'] button").first.click()
    expect(page.locator("main h3").first).to_be_visible()


def results(page, base):
    hits(page, base)
    page.locator("form[action='/patients/view'] button").first.click()
    expect(page.locator("main svg.plot").first).to_be_visible()


def accesses(page, base):
    results(page, base)
    page.locator("form[action='/patients/accesses'] button").first.click()
    expect(page.locator("main tbody tr").first).to_be_visible()


def device(page, base):
    page.goto(base + "/devices")
    page.locator("main tbody th a").first.click()
    page.wait_for_url("**/devices/*")


def hit(page, base):
    page.goto(base + "/hits")
    page.locator("main tbody td a[href^='/hits/']").first.click()
    page.wait_for_url("**/hits/*")


def work_order(page, base):
    hit(page, base)
    page.locator("a[href$='/order']").first.click()
    page.wait_for_url("**/order")


def advisory(page, base):
    page.goto(base + "/advisories")
    page.locator("main tbody th a[href^='/advisories/']").first.click()
    page.wait_for_url("**/advisories/*")


def detection(page, base):
    page.goto(base + "/malware")
    page.locator("main .task a[href^='/malware/']").first.click()
    page.wait_for_url("**/malware/*")


def quarantined(page, base):
    page.goto(base + "/malware/quarantine")
    page.locator("main tbody th a").first.click()
    page.wait_for_url("**/malware/quarantine/*")


def devices_previewed(page, base):
    page.goto(base + "/devices/import")
    page.fill("#list", "name,manufacturer,serial\nCentrifuge,Hettich,C-1001\nFridge,,\n")
    page.click("main form:has(#list) button")
    expect(page.locator("button[name='apply']")).to_be_visible()


def advisories_sent(page, base):
    page.goto(base + "/advisories/import")
    page.set_input_files("#file", {"name": "notes.json", "mimeType": "application/json", "buffer": b"{}"})
    page.check("#preview")
    page.click("main form button.btn-primary")
    expect(page.locator("main [role=alert]")).to_be_visible()


def glass_open(page, base):
    page.goto(base + "/break-glass")
    page.fill("#why", EMERGENCY)
    page.click("form[action='/break-glass/open'] button")
    page.wait_for_url("**/records?done=**")


def glass_end(page, base):
    page.goto(base + "/break-glass")
    page.click("form[action='/break-glass/end'] button")
    page.wait_for_url("**/break-glass?done=**")


def opening(page, base):
    page.goto(base + "/break-glass/reviews")
    page.locator("main tbody tr", has_text="Dora").first.locator("a").click()
    expect(page.locator("#note")).to_be_visible()


def deciding(page, base):
    page.goto(base + "/safeguards")
    page.locator("a[href^='/safeguards/decide']").first.click()
    expect(page.locator("form[action='/safeguards/decide']")).to_be_visible()


def editing(page, base):
    page.goto(base + "/settings")
    page.locator("a[href='/settings/edit?table=link&name=hl7']").click()
    expect(page.locator("#listen")).to_be_visible()


def edit_refused(page, base):
    editing(page, base)
    page.locator("#limits-frame-seconds").locator("xpath=ancestor::details").locator("summary").click()
    page.fill("#limits-frame-seconds", "soon")
    page.click("main form button.btn-primary")
    expect(page.locator("#limits-frame-seconds-help [role=alert]")).to_be_visible()


def edit_previewed(page, base):
    editing(page, base)
    page.fill("#peer", "xn550")
    page.click("main form button.btn-primary")
    expect(page.locator("form[action='/settings/change']")).to_be_visible()


def first_message(page, base):
    page.goto(base + "/first-analyzer/xn550")
    expect(page.locator("#live")).to_be_visible()


def verified(page, base):
    page.goto(base + "/ledger")
    page.click("form[action='/ledger/verify'] button")
    expect(page.locator("main section[role=status]")).to_be_visible()


def refused_search(page, base):
    page.goto(base + "/records")
    page.fill("#birth", "31 February")
    page.fill("#why", WHY)
    page.click("main form button.btn-primary")
    expect(page.locator("#hits [role=alert]")).to_be_visible()


def sign_in_passkey(page, base):
    # Without one the browser's own dialog would take the keyboard.
    give_device(page, is_touched=False)
    page.goto(base + "/sign-in/passkey")


def passkey(page, base):
    # Without one the browser's own dialog would take the keyboard.
    give_device(page, is_touched=False)
    page.goto(base + "/me")
    page.fill("#passkey-name", "green key")
    page.fill("#passkey-password", PASSWORD)
    page.click("form[action='/me/passkeys'] button")
    expect(page.locator("form[data-passkey]")).to_be_visible()


LIST = "name,role\nNoor Sample,clinical-staff\nPer Sample,lab-manager + it\n"


def person(page, base):
    page.goto(base + "/people")
    page.locator("main tbody a").first.click()
    expect(page.locator("form[action$='/roles']")).to_be_visible()


def people_previewed(page, base):
    page.goto(base + "/people/import")
    page.fill("#table", LIST + "Kit Sample,queen\n")
    page.click("main form button.btn-quiet")
    expect(page.locator("main h2[data-focus]")).to_be_visible()


def invitation(page, base):
    page.goto(base + "/people")
    page.locator("form[action$='/invite'] button").last.click()
    expect(page.locator("svg.qr")).to_be_visible()


def reference(page, base):
    page.goto(base + "/reference")
    page.locator("#type-Person summary").click()


#: Name of the picture, and the way there. The walk fails on a page of the navigation that is not here.
PAGES = {
    "home": plain("/"),
    "flow": plain("/flow"),
    "analyzer": plain("/first-analyzer"),
    "analyzer-received": first_message,
    "messages": plain("/messages"),
    "message": message,
    "message-held": held,
    "records": plain("/records"),
    "records-refused": refused_search,
    "records-hits": hits,
    "report": report,
    "results": results,
    "accesses": accesses,
    "emergency": plain("/break-glass"),
    "emergency-reviews": plain("/break-glass/reviews"),
    "emergency-review": opening,
    "emergency-open": glass_open,
    "emergency-ended": glass_end,
    "ledger": plain("/ledger"),
    "ledger-filtered": plain("/ledger?action=message."),
    "ledger-entry": plain("/ledger/entries/0"),
    "ledger-verified": verified,
    "safeguards": plain("/safeguards"),
    "safeguards-proposed": plain("/safeguards?profile=proposed-2025"),
    "safeguard-deciding": deciding,
    "devices": plain("/devices"),
    "device": device,
    "components": plain("/components"),
    "patch-approvals": plain("/patch-approvals"),
    "devices-map": plain("/devices/map"),
    "devices-unusual": plain("/devices/unusual"),
    "devices-import": plain("/devices/import"),
    "devices-previewed": devices_previewed,
    "hits": plain("/hits"),
    "hit": hit,
    "hit-order": work_order,
    "hits-matrix": plain("/hits/matrix"),
    "hits-statements": plain("/hits/statements"),
    "advisories": plain("/advisories"),
    "advisories-import": plain("/advisories/import"),
    "advisories-import-refused": advisories_sent,
    "advisory": advisory,
    "malware": plain("/malware"),
    "malware-detection": detection,
    "quarantine": plain("/malware/quarantine"),
    "quarantine-item": quarantined,
    "malware-rules": plain("/malware/rules"),
    "integrity": plain("/malware/integrity"),
    "integrity-baseline": plain("/malware/integrity/xn-550-pc"),
    "people": plain("/people"),
    "person": person,
    "people-import": plain("/people/import"),
    "people-previewed": people_previewed,
    "invitation": invitation,
    "reference": reference,
    "settings": plain("/settings"),
    "settings-edit": editing,
    "settings-edit-refused": edit_refused,
    "settings-edit-preview": edit_previewed,
    "settings-add": plain("/settings/edit?table=destination"),
    "settings-policy": plain("/settings/edit?table=retention"),
    "me": plain("/me"),
    "passkey": passkey,
    "nowhere": plain("/no-such-page"),
}

#: What is there before anybody signs in.
OUTSIDE = {
    "sign-in": plain("/sign-in"),
    "sign-in-passkey": sign_in_passkey,
    "join": plain("/join"),
}
