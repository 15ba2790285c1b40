"""The first run: from an empty folder to the first analyzer's first message, in a real browser, each step
in each look.

Must never let the browser pass over a certificate: that of the set-up is made known to it after its
fingerprint was compared with what the server printed, and the lab's authority after the set-up.
"""

import hashlib
import json
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

from playwright.sync_api import expect

import guide
import checks
from lab import PASSWORD


class Server:
    """A server of a folder that is still empty, and what it printed."""

    def __init__(self, settings: dict):
        self.place = Path(settings["place"]) / "first-run"
        self.place.mkdir()
        self.data = self.place / "data"
        self.log = self.place / "server.log"
        self.program = settings["program"]
        self.command = [self.program, "--data", str(self.data)]
        self.start("--setup-listen", "127.0.0.1:0")
        said = self.wait_for("setup-link")
        self.link = re.search(r"https://\S+", said)[0]
        self.base = self.link.split("/#")[0]
        self.fingerprint = re.search(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", said)[0]

    def start(self, *words: str):
        with self.log.open("w") as log:
            command = [*self.command, "serve", *words]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def restart_with_short_sessions(self):
        """The lab as it was set up, started again; its sessions end after a minute unused."""
        self.stop()
        file = self.data / "labward.toml"
        text = re.sub(r"(?m)^\[console\]$", "[console]\nidle_minutes = 1", file.read_text())
        assert "idle_minutes = 1\n" in text, text
        file.write_text(text)
        self.start()
        self.wait_for("the console listens")

    def sessions(self) -> list[dict]:
        done = subprocess.run([*self.command, "--json", "session", "list"], capture_output=True, check=True, timeout=60)
        return json.loads(done.stdout)

    def wait_for(self, text: str) -> str:
        for _ in range(300):
            said = self.log.read_text()
            if text in said:
                return said
            if self.process.poll() is not None:
                raise RuntimeError(said)
            time.sleep(0.1)
        raise RuntimeError(f"no {text} in {said}")

    def certificate(self) -> Path:
        """The certificate of the set-up, compared with what was printed."""
        pem = ssl.get_server_certificate(("127.0.0.1", int(self.base.rsplit(":", 1)[1])))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
        assert digest == self.fingerprint.replace(":", ""), (digest, self.fingerprint)
        file = self.place / "setup.pem"
        file.write_text(pem)
        return file

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def home_that_trusts(place: Path, name: str, trust: str, file: Path) -> Path:
    home = place / name
    folder = home / ".pki/nssdb"
    folder.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{folder}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run([*certutil, "-A", "-t", trust, "-n", "labward", "-i", str(file)], check=True)
    return home


def on_paper(page) -> list[list[str]]:
    """The shares as somebody writes them down."""
    lists = page.locator("ol.groups")
    return [lists.nth(number).locator("li").all_inner_texts() for number in range(lists.count())]


def type_back(page, shares: list[list[str]]) -> None:
    share, *groups = [int(word) for word in re.findall(r"\d+", page.locator("label[for=groups]").inner_text())]
    page.fill("#groups", " ".join(shares[share - 1][group - 1] for group in groups).lower())
    page.locator("form[action='/groups'] button").click()


def walk_through(walk, launch, looks) -> None:
    """All of it; `launch` opens a browser with a home folder of its own."""
    server = Server(walk.lab.settings)
    try:
        home = home_that_trusts(server.place, "home-setup", "P,,", server.certificate())
        authority = set_up(walk, launch(home), server, looks)
        home = home_that_trusts(server.place, "home-lab", "C,,", authority)
        browser = launch(home)
        page = sign_in(walk, browser, server)
        first_analyzer(walk, page, server, looks)
        browser.close()
        if looks:
            server.restart_with_short_sessions()
            browser = launch(home)
            walk.scene(unused_page_warns_is_kept_by_one_key_and_covered_at_its_end, walk, browser, server)
            browser.close()
    finally:
        server.stop()


def look_at(walk, page, base: str, name: str, looks, path: str = "/") -> None:
    for look in looks:
        theme, language, _, size = look
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        walk.look(page, f"setup-{name}", lambda page, _: page.goto(f"{base}{path}?language={language}"), look)
    page.set_viewport_size(guide.WINDOW)
    page.emulate_media(color_scheme="light")
    page.goto(f"{base}{path}?language=en")


def in_each_language(walk, page, base: str, name: str, fill) -> None:
    """A picture for the guides of a step that is filled in."""
    for language in reversed(guide.LANGUAGES):
        page.goto(f"{base}/?language={language}")
        fill()
        walk.guide.take(page, language, f"setup-{name}")


def what_is_no_backup_is_not_restored(walk, page, server: Server, looks) -> None:
    page.locator("a[href='/restore']").click()
    page.wait_for_selector("form[action='/restore']")
    look_at(walk, page, server.base, "restore", looks, "/restore")
    page.fill("#backups", str(server.place / "nothing"))
    page.fill("#archives", str(server.place / "nothing"))
    page.fill("#path", str(server.place / "root.key"))
    page.locator("form[action='/restore'] button").click()
    # The page that waits asks by itself.
    expect(page.locator("[role=alert]")).to_be_visible()
    page.locator("a[href='/lab']").click()
    page.wait_for_selector("form[action='/lab']")


def set_up(walk, browser, server: Server, looks) -> Path:
    context = browser.new_context(locale="en-US", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda message: walk.heard(page, message))
    look_at(walk, page, server.base, "open", looks)
    # The link fills the field by itself, and leaves the address.
    page.goto("about:blank")
    page.goto(server.link)
    expect(page.locator("#code")).not_to_be_empty()
    assert "#" not in page.url, page.url
    page.locator("form[action='/open'] button").click()
    page.wait_for_selector("form[action='/lab']")
    look_at(walk, page, server.base, "lab", looks)
    what_is_no_backup_is_not_restored(walk, page, server, looks)

    def fill_lab(names=f"{guide.HOST} 192.0.2.10"):
        page.fill("#name", "Río Verde")
        page.fill("#names", names)

    in_each_language(walk, page, server.base, "lab", fill_lab)
    fill_lab("localhost 127.0.0.1")
    page.locator("form[action='/lab'] button").click()
    page.wait_for_selector("form[action='/administrator']")
    look_at(walk, page, server.base, "administrator", looks)
    page.fill("#name", "Ada Moreno")
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.locator("form[action='/administrator'] button").click()
    page.wait_for_selector("form[action='/keys']")
    look_at(walk, page, server.base, "keys", looks)
    in_each_language(walk, page, server.base, "keys", lambda: page.fill("#path", "/media/usb/root.key"))
    page.fill("#path", str(server.place / "root.key"))
    page.locator("form[action='/keys'] button").click()
    page.wait_for_selector("ol.groups")
    look_at(walk, page, server.base, "shares", looks)
    shares = on_paper(page)
    assert len(shares) == 3 and all(len(share) == len(shares[0]) for share in shares)
    page.pdf(path=walk.lab.pictures / "setup-shares.pdf", format="Letter")
    page.locator("form[action='/written'] button").click()
    page.wait_for_selector("#groups")
    expect(page.locator("ol.groups")).to_have_count(0)
    look_at(walk, page, server.base, "confirm", looks)
    page.fill("#groups", "XXXX XXXX")
    page.locator("form[action='/groups'] button").click()
    expect(page.locator("[role=alert]")).to_be_visible()
    type_back(page, shares)
    type_back(page, shares)
    page.wait_for_selector("form[action='/start']")
    look_at(walk, page, server.base, "done", looks)
    with page.expect_download() as download:
        page.locator("a[href='/authority.pem']").click()
    authority = server.place / "authority.pem"
    download.value.save_as(authority)
    page.locator("form[action='/start'] button").click()
    href = page.locator(f"a[href='{server.base}/sign-in']")
    expect(href).to_be_visible()
    browser.close()
    return authority


def sign_in(walk, browser, server: Server):
    """With the lab's own authority known, there is no warning."""
    server.wait_for("the console listens")
    page = browser.new_context(locale="en-US", viewport=guide.WINDOW, accept_downloads=True).new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda message: walk.heard(page, message))
    page.goto(f"{server.base}/sign-in")
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url(server.base + "/")
    expect(page.locator("header")).to_contain_text("Ada Moreno")
    return page


def first_analyzer(walk, page, server: Server, looks) -> None:
    """From *Home* to a message that came over mutual TLS with the file that the page gave."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for language in reversed(guide.LANGUAGES):
        guide.in_language(page, server.base, language)
        page.goto(server.base + "/")
        task = page.locator("#live a[href='/first-analyzer']")
        expect(task).to_be_visible()
        walk.guide.take(page, language, "home-first", last="#live")
        task.click()
        fill_analyzer(page)
        walk.guide.take(page, language, "analyzer", last="#rules-help")
    page.fill("#port", port)
    page.locator("main form button").click()
    live = page.locator("#live")
    expect(live).to_contain_text("Waiting for the first message")
    look_while_waiting(walk, page, server.base, looks)
    with page.expect_download() as download:
        page.locator("form[action$='/file'] button").click()
    file = server.place / "chem1.pem"
    download.value.save_as(file)
    send(server, port, file)
    # Nobody touches the page.
    expect(live).to_contain_text("Received", timeout=15_000)
    for language in guide.LANGUAGES:
        if language != "en":
            guide.in_language(page, server.base, language)
            page.goto(server.base + "/first-analyzer/chem1")
        walk.guide.take(page, language, "analyzer-received", last="#live", others=[(port, "2575")])
    live.locator("a").click()
    expect(page.locator("main")).to_contain_text("ORU^R01")
    page.goto(server.base + "/")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("a[href='/first-analyzer']")).to_have_count(0)


def fill_analyzer(page) -> None:
    page.fill("#name", "chem1")
    page.fill("#application", "CHEM1")
    page.fill("#facility", "MAINLAB")


def look_while_waiting(walk, page, base: str, looks) -> None:
    for look in looks:
        theme, language, _, size = look
        guide.in_language(page, base, language)
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        page.select_option("#theme", theme)
        page.click("form[action='/me'] button")
        page.wait_for_url("**done=saved")
        walk.look(page, "analyzer-waiting", lambda page, _: page.goto(f"{base}/first-analyzer/chem1"), look)
    guide.in_language(page, base, "en")
    page.goto(base + "/first-analyzer/chem1")


def send(server: Server, port: str, file: Path) -> None:
    message = server.place / "first.hl7"
    lines = [
        "MSH|^~\\&|CHEM1|MAINLAB|LIS|LAB|20260302104200||ORU^R01^ORU_R01|1|P|2.5.1",
        "PID|1||MRN-4711^^^MAINLAB^MR||Rivera^Marisol||19840217|F",
        "OBR|1||ACC-1|GLU^Glucose^L",
        "OBX|1|NM|2345-7^Glucose^LN||5.1|mmol/L|3.9-5.8|N|||F",
    ]
    message.write_text("\r".join(lines) + "\r")
    command = [server.program, "send", "--to", f"127.0.0.1:{port}", "--server-name", "localhost"]
    done = subprocess.run([*command, "--cert", str(file), str(message)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "AA" in done.stdout, done


def unused_page_warns_is_kept_by_one_key_and_covered_at_its_end(walk, browser, server: Server) -> None:
    page = sign_in(walk, browser, server)
    guide.in_language(page, server.base, "en")
    page.goto(server.base + "/")
    # Home keeps itself fresh, which is no use of the session.
    warning = page.get_by_role("alertdialog")
    expect(warning).to_be_hidden()
    before = server.sessions()[0]
    expect(warning).to_be_visible(timeout=50_000)
    expect(warning).to_contain_text("Are you still there?")
    stay = page.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused()
    faults = checks.accessible(page)
    assert not faults, faults
    page.screenshot(path=walk.lab.pictures / "session-warning.png")
    page.wait_for_timeout(6_000)
    asked = server.sessions()[0]
    assert asked["last_seen"] == before["last_seen"], "the warning has kept the session alive"
    page.keyboard.press("Escape")
    expect(warning).to_be_visible()
    page.keyboard.press("Enter")
    expect(warning).to_be_hidden()
    stayed = server.sessions()[0]
    assert stayed["number"] == before["number"] and stayed["last_seen"] > before["last_seen"], stayed
    expect(warning).to_be_visible(timeout=50_000)
    expect(page.locator("main")).to_be_visible()
    # Covered at the end; the page leaves as soon as the server says that it has come.
    page.wait_for_function(
        "() => location.pathname === '/sign-in' || !document.querySelector('main')?.checkVisibility()",
        timeout=60_000,
    )
    page.wait_for_url("**/sign-in", timeout=30_000)
    assert server.sessions() == [], "the session goes on"
    page.context.close()
