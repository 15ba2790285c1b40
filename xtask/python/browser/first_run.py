"""The first run: from an empty folder to the first sign-in, in a real browser, each step in each look.

Must never let the browser pass over a certificate: that of the set-up is made known to it after its
fingerprint was compared with what the server printed, and the lab's authority after the set-up.
"""

import hashlib
import re
import ssl
import subprocess
import time
from pathlib import Path

from playwright.sync_api import expect

from lab import PASSWORD


class Server:
    """A server of a folder that is still empty, and what it printed."""

    def __init__(self, settings: dict):
        self.place = Path(settings["place"]) / "first-run"
        self.place.mkdir()
        self.data = self.place / "data"
        self.log = self.place / "server.log"
        command = [settings["program"], "--data", str(self.data), "serve", "--setup-listen", "127.0.0.1:0"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        said = self.wait_for("setup-link")
        self.link = re.search(r"https://\S+", said)[0]
        self.base = self.link.split("/#")[0]
        self.fingerprint = re.search(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", said)[0]

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
        sign_in(launch(home), server)
    finally:
        server.stop()


def look_at(walk, page, base: str, name: str, looks) -> None:
    for look in looks:
        theme, language, _, size = look
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        walk.look(page, f"setup-{name}", lambda page, _: page.goto(f"{base}/?language={language}"), look)
    page.set_viewport_size(looks[0][3])
    page.emulate_media(color_scheme="light")
    page.goto(f"{base}/?language=en")


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
    page.fill("#name", "Río Verde Laboratory")
    page.fill("#names", "localhost 127.0.0.1")
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


def sign_in(browser, server: Server) -> None:
    """With the lab's own authority known, there is no warning."""
    server.wait_for("the console listens")
    page = browser.new_context(locale="en-US").new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{server.base}/sign-in")
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url(server.base + "/")
    expect(page.locator("header")).to_contain_text("Ada Moreno")
    browser.close()
