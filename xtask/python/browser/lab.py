"""The lab that is looked at: its server runs already, and its program is at hand.

Must never reach into the server's folder but for its socket: it uses the program, the API and the pages, as people do.
"""

import base64
import http.client
import json
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PATIENT = ("MRN-4711", "Rivera", "Marisol")
PASSWORD = "velvet tractor mango plinth 7"


@dataclass
class Lab:
    """Where everything is; `settings` is what `cargo xtask browser` wrote."""

    settings: dict
    sent: int = field(default=0)

    @property
    def base(self) -> str:
        return self.settings["base"]

    @property
    def pictures(self) -> Path:
        return Path(self.settings["pictures"])

    def labward(self, *words: str, good: bool = True) -> str:
        command = [self.settings["program"], "--data", self.settings["data"], *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if good and done.returncode != 0:
            raise RuntimeError(f"labward {' '.join(words)}: {done.stderr}")
        return done.stdout

    def post(self, path: str, body) -> None:
        """Asks the admin socket as the command line does."""
        asked = http.client.HTTPConnection("localhost", timeout=60)
        asked.sock = socket.socket(socket.AF_UNIX)
        asked.sock.connect(str(Path(self.settings["data"]) / "run" / "admin.sock"))
        head = {"Content-Type": "application/json"}
        asked.request("POST", "/api/v1/" + path, json.dumps(body), head)
        answer = asked.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.read()!r}")

    def json(self, *words: str):
        return json.loads(self.labward("--json", *words))

    def add(self, name: str, roles: str) -> str:
        """Adds a person and gives the code of their invitation."""
        self.labward("person", "add", name, "--role", roles)
        return self.invite(name)

    def invite(self, who: str) -> str:
        return self.json("person", "invite", who)["code"]

    def send(
        self,
        peer: str,
        kind: str = "ORU^R01^ORU_R01",
        value: str = "6.4",
        flag: str = "N",
        patient=PATIENT,
        attached: bytes = b"",
    ) -> Path:
        """Sends one message over mutual TLS and gives its file; a peer that may not send it is answered no."""
        self.sent += 1
        number = self.sent
        lines = [
            f"MSH|^~\\&|XN550|HEMA|LIS|LAB|2026010112{number:02}00||{kind}|B{number}|P|2.5.1",
            f"PID|1||{patient[0]}^^^LAB^MR||{patient[1]}^{patient[2]}||19840217|F",
        ]
        if kind.startswith("ORU"):
            lines += [
                f"OBR|1||ACC-{number}|CBC^Complete blood count^L|||2026010111{number:02}00",
                f"OBX|1|NM|6690-2^Leukocytes^LN||{value}|10*3/uL|4.0-11.0|{flag}|||F",
                "OBX|2|NM|718-7^Hemoglobin^LN||9.1|g/dL|12.0-16.0|LL|||F",
                "OBX|3|ST|600-7^Blood culture^LN||no growth after 5 days||||||F",
            ]
        if attached:
            encoded = base64.b64encode(attached).decode()
            lines.append(f"OBX|4|ED|PDF^Report^L||XN550^application^pdf^Base64^{encoded}||||||F")
        file = Path(self.settings["place"]) / f"message-{number}.hl7"
        file.write_text("\r".join(lines) + "\r")
        # By its number: a small Debian has no file of hosts.
        link = self.settings["link"].replace("localhost", "127.0.0.1")
        certificate = self.settings["peers"][peer]
        self.labward(
            "send", "--to", link, "--server-name", "localhost", "--cert", certificate, str(file), good=False
        )
        return file
