"""Replays the ASTM captures of a folder over a socket and says what was answered.

    python replay_astm.py HOST RAW_PORT SESSION_PORT FOLDER

To RAW_PORT each capture goes as it stands, without ENQ and EOT; to SESSION_PORT as an instrument
talks: ENQ, each frame after the answer to the one before, EOT. One JSON object a line.
"""

import base64
import json
import pathlib
import re
import socket
import sys

# How long an answer may take; an instrument waits 15 s.
PATIENCE_SECONDS = 15.0

ENQ, ACK, EOT = b"\x05", b"\x06", b"\x04"
NAMES = {b"\x06": "ACK", b"\x15": "NAK", b"\x04": "EOT", b"\x05": "ENQ"}
FRAME = re.compile(rb"\x02([^\x03\x17]*)[\x03\x17]([0-9A-Fa-f]{2})?[\r\n]{0,2}")


def text_of(match):
    """What a frame carries: without its number, which stands only where a checksum does."""
    text, checksum = match.groups()
    return text[1:] if checksum else text


def answer(connection):
    try:
        byte = connection.recv(1)
    except (socket.timeout, ConnectionError):
        return "none"
    return NAMES.get(byte, "closed" if not byte else byte.hex())


def raw(connection, data, frames):
    connection.sendall(data)
    return [answer(connection) for _ in frames]


def session(connection, data, frames):
    answers = []
    for piece in [ENQ] + [match.group(0) for match in frames]:
        connection.sendall(piece)
        answers.append(answer(connection))
        if answers[-1] != "ACK":
            break
    connection.sendall(EOT)
    return answers


def replay(host, port, path, mode):
    data = path.read_bytes()
    frames = list(FRAME.finditer(data))
    with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as connection:
        answers = mode(connection, data, frames)
    return {
        "file": path.name,
        "mode": mode.__name__,
        "frames": len(frames),
        "text": base64.b64encode(b"".join(map(text_of, frames))).decode(),
        "answers": answers,
    }


def main():
    host, raw_port, session_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for path in sorted(pathlib.Path(sys.argv[4]).iterdir()):
        for port, mode in ((raw_port, raw), (session_port, session)):
            print(json.dumps(replay(host, port, path, mode)), flush=True)


if __name__ == "__main__":
    main()
