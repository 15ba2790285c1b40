"""Sends every HL7 file of a folder with the MLLP client of the package `hl7`, and says what came back.

    python send_hl7.py HOST PORT FOLDER

One JSON object a line: the file, the frame that was sent, the messages in it, the answers to it.
A file is one frame if it is a batch (FHS or BHS), else one frame a message. Each file has a
connection of its own, so that no late answer is taken for another file's.
"""

import base64
import json
import pathlib
import socket
import sys

import hl7
from hl7.client import MLLPClient

# How long an answer may take.
PATIENCE_SECONDS = 10.0

END = b"\x1c\r"
BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")


def split_before(data, starts):
    """Cuts `data` before each segment for which `starts` holds; the first piece may be headless."""
    pieces, begin, place = [], 0, 0
    for segment in data.split(b"\r"):
        if place > begin and starts(segment):
            pieces.append(data[begin:place])
            begin = place
        place += len(segment) + 1
    pieces.append(data[begin:])
    return pieces


def frames_of(data):
    """The frames to be sent, each with the messages in it."""
    def is_header(segment):
        return segment.startswith(b"MSH")

    if not data.startswith((b"FHS", b"BHS")):
        return [(piece, [piece]) for piece in split_before(data, is_header)]
    pieces = split_before(
        data, lambda segment: is_header(segment) or segment.startswith(BATCH_SEGMENTS)
    )
    return [(data, [piece for piece in pieces if is_header(piece)])]


def field_of(message, number):
    """MSH-`number` of a message as text."""
    header = message.split(b"\r", 1)[0]
    if not header.startswith(b"MSH") or len(header) < 4:
        return ""
    fields = header.split(header[3:4])
    return fields[number - 1].decode("latin-1") if len(fields) >= number else ""


def read_answers(client, first, wanted):
    """As many answers as come, up to `wanted`."""
    got = first
    while got.count(END) < wanted:
        more = client.socket.recv(4096)
        if not more:
            break
        got += more
    return got


def answer_of(frame):
    """MSA-1, MSA-2 and ERR-5 of an acknowledgement, read by the package."""
    message = hl7.parse(frame.lstrip(b"\x0b").decode("latin-1"))
    msa = message.segment("MSA")
    error = ""
    try:
        error = str(message.segment("ERR")[5])
    except (KeyError, IndexError):
        pass
    return {
        "code": str(msa[1]),
        "id": str(msa[2]) if len(msa) > 2 else "",
        "error": error.split(str(message.separators[3]))[0],
    }


def send(host, port, path):
    data = path.read_bytes().replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    with MLLPClient(host, port) as client:
        client.socket.settimeout(PATIENCE_SECONDS)
        for frame, messages in frames_of(data):
            got = b""
            try:
                got = client.send_message(frame)
                got = read_answers(client, got, len(messages))
            except (socket.timeout, ConnectionError):
                pass
            answers = [answer_of(one) for one in got.split(END) if one]
            yield {
                "file": path.name,
                "frame": base64.b64encode(frame).decode(),
                "messages": [
                    {
                        "bytes": base64.b64encode(message).decode(),
                        "type": field_of(message, 9),
                        "id": field_of(message, 10),
                    }
                    for message in messages
                ],
                "answers": answers,
            }


def main():
    host, port, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    for path in sorted(folder.iterdir()):
        for line in send(host, port, path):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
