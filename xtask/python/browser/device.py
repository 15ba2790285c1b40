"""A device for passkeys, inside the browser and without its dialog."""

from weakref import WeakKeyDictionary

_sessions = WeakKeyDictionary()


def give_device(page, is_touched: bool) -> None:
    """Gives the page one device in place of the one before; untouched, it only waits."""
    session = _sessions.get(page)
    if session is None:
        session = _sessions[page] = page.context.new_cdp_session(page)
    else:
        session.send("WebAuthn.disable")
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": is_touched,
        "automaticPresenceSimulation": is_touched,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
