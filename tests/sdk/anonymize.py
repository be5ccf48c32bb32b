"""Takes the recording machine out of recorded envelopes, and sets item lengths right again.

Usage: python anonymize.py RECORDED FOUND=REPLACEMENT …
"""

import json
import pathlib
import sys


def with_right_lengths(envelope):
    lines = envelope.split("\n")
    for at, line in enumerate(lines[:-1]):
        header = json.loads(line) if at % 2 == 1 and line.startswith("{") else {}
        if "length" in header:
            header["length"] = len(lines[at + 1].encode())
            lines[at] = json.dumps(header, separators=(",", ":"))
    return "\n".join(lines)


file = pathlib.Path(sys.argv[1])
text = file.read_text(encoding="utf-8")
for pair in sys.argv[2:]:
    found, replacement = pair.split("=", 1)
    text = text.replace(found, replacement)
recorded = [json.loads(line) for line in text.splitlines()]
for one in recorded:
    one["envelope"] = with_right_lengths(one["envelope"])
file.write_text("".join(json.dumps(one) + "\n" for one in recorded), encoding="utf-8")
print(f"{len(recorded)} envelopes")
