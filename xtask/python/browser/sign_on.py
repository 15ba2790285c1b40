"""People sign in at the lab's identity provider, which runs here, and what they are by its groups.

The provider is `oidc-provider-mock`, over TLS. Must never have the browser or Labward pass over its
certificate: both are given its authority, as a lab would.
"""

import json
import ssl
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from oidc_provider_mock import User, app
from playwright.sync_api import expect

import checks
from lab import Lab

#: What a group is called that has a role in the lab, and what the role is.
LEADS, MANAGER = "lab-leads", "lab-manager"
STAFF, CLINICAL = "lab-staff", "clinical-staff"


class Provider:
    """The lab's identity provider; another site than the console, by the browser's reckoning."""

    def __init__(self, settings: dict):
        at = settings["provider"]
        self.name, self.issuer, self.authority = at["name"], at["issuer"], Path(at["ca_file"])
        self.nora = User(sub="subject-0815", claims=claims_of("Nora Novak", "nora", LEADS))
        self.sven = User(sub="subject-0816", claims=claims_of("Sven Sand", "sven", STAFF))
        address = urlsplit(self.issuer)
        chain, key = self.make_certificates(address.hostname)
        self.app = app(require_nonce=True, user_claims=[self.nora, self.sven])
        config = uvicorn.Config(
            self.app,
            interface="wsgi",
            host=address.hostname,
            port=address.port,
            ssl_certfile=chain,
            ssl_keyfile=key,
            log_level="warning",
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        end = time.monotonic() + 20
        while not self.server.started:
            assert self.thread.is_alive() and time.monotonic() < end, "the provider did not start"
            time.sleep(0.05)
        trust(settings["home"], self.authority)

    def make_certificates(self, host: str) -> tuple[Path, Path]:
        """An authority, where the configuration looks for it, and the provider's certificate from it."""
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the provider")])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        authority = certificate(issuer, issuer, authority_key.public_key())
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        own = certificate(issuer, subject, key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        own = own.add_extension(names, critical=False)
        pem = serialization.Encoding.PEM
        signed = [one.sign(authority_key, hashes.SHA256()).public_bytes(pem) for one in (authority, own)]
        self.authority.write_bytes(signed[0])
        chain, key_file = self.authority.with_name("chain.pem"), self.authority.with_name("key.pem")
        chain.write_bytes(signed[1])
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        key_file.write_bytes(key.private_bytes(pem, *plain))
        return chain, key_file

    def move(self, user: User, group: str) -> None:
        """Puts somebody into another group, as who runs the provider would."""
        claims = json.dumps({**user.claims, "groups": [group]}).encode()
        headers = {"content-type": "application/json"}
        request = Request(f"{self.issuer}/users/{user.sub}", claims, headers, method="PUT")
        trusted = ssl.create_default_context(cafile=self.authority)
        with urlopen(request, timeout=15, context=trusted) as done:
            assert done.status == 204, done.status


def claims_of(name: str, login: str, group: str) -> dict:
    return {"name": name, "email": f"{login}@clinic.example", "email_verified": True, "groups": [group]}


def certificate(issuer, subject, public_key) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def trust(home: str, authority: Path) -> None:
    """Makes the provider's authority known to a browser that has not started yet."""
    store = f"sql:{home}/.pki/nssdb"
    add = ["certutil", "-d", store, "-A", "-t", "C,,", "-n", "provider", "-i", str(authority)]
    subprocess.run(add, check=True)


def at_the_provider(page, lab: Lab, provider: Provider, user: User) -> None:
    """From the sign-in page to the provider, and what it says yes to there."""
    page.goto(lab.base + "/sign-in")
    page.get_by_role("link", name=provider.name).click()
    page.wait_for_url(provider.issuer + "/**")
    page.locator(f"button[value='{user.sub}']").click()


def roles_of(lab: Lab, name: str) -> list:
    return [one["role"] for one in lab.json("person", "list") if one["name"] == name]


def linked_person_signs_in_with_the_role_of_their_group(page, lab: Lab, provider: Provider) -> None:
    lab.labward("person", "add", "Nora", "--role", CLINICAL)
    lab.labward("person", "link", "Nora", provider.nora.claims["email"])
    page.goto(lab.base + "/sign-in")
    page.screenshot(path=lab.pictures / "sign-in-provider.png")
    at_the_provider(page, lab, provider, provider.nora)
    page.wait_for_url(lab.base + "/")
    # A lab manager looks at the flow, clinical staff at most at records.
    expect(page.locator("header nav a[href='/safeguards']")).to_be_visible()
    page.screenshot(path=lab.pictures / "home-by-provider.png", full_page=True)
    assert roles_of(lab, "Nora") == [MANAGER], roles_of(lab, "Nora")
    page.goto(lab.base + "/me")
    account = page.locator("#provider-account")
    expect(account).to_contain_text(provider.nora.claims["email"])
    expect(account).to_contain_text(provider.issuer)
    faults = checks.accessible(page) + checks.fits(page)
    assert not faults, faults
    page.screenshot(path=lab.pictures / "me-with-account.png", full_page=True)


def roles_follow_the_group_at_the_next_sign_in(page, lab: Lab, provider: Provider) -> None:
    provider.move(provider.nora, STAFF)
    page.goto(lab.base + "/")
    page.locator("form[action='/sign-out'] button").first.click()
    page.wait_for_url(lab.base + "/sign-in**")
    at_the_provider(page, lab, provider, provider.nora)
    page.wait_for_url(lab.base + "/")
    expect(page.locator("header nav a[href='/safeguards']")).to_have_count(0)
    assert roles_of(lab, "Nora") == [CLINICAL], roles_of(lab, "Nora")


def who_is_not_linked_stays_outside(page, lab: Lab, provider: Provider) -> None:
    at_the_provider(page, lab, provider, provider.sven)
    page.wait_for_url(lab.base + "/sign-in/provider/callback**")
    expect(page.locator("[role=alert]")).to_contain_text("linked to nobody")
    expect(page.locator("#login")).to_be_visible()
    page.screenshot(path=lab.pictures / "not-linked.png", full_page=True)
    page.goto(lab.base + "/me")
    assert urlsplit(page.url).path == "/sign-in", page.url
