"""Turns recorded envelopes into templates: what differs from sending to sending becomes a run of
one letter, of the same length. Usage: python placeholders.py RECORDED CHECKOUT WORK HOST > TEMPLATES
"""

import json
import re
import sys


def blank(letter):
    return lambda match: match[1] + letter * len(match[2]) + match[3]


recorded, checkout, work, host = sys.argv[1:5]
seen = 0
for line in open(recorded, encoding="utf-8"):
    text = json.loads(line)["envelope"]
    # Of the same length, so that item lengths stay right.
    for found, root in ((work, "/srv/shop"), (checkout, "/srv/libs"), (host, "web-1")):
        text = text.replace(found, (root + "/" * len(found))[: len(found)])
    text = re.sub(r'("event_id": ?")([0-9a-f]{32})(")', blank("E"), text)
    text = re.sub(r'("trace_id": ?")([0-9a-f]{32})(")', blank("T"), text)
    text = re.sub(r'("(?:timestamp|sent_at)": ?")([0-9T:.Z+-]{24,})(")', blank("@"), text)
    text = re.sub(r'("timestamp": ?)([0-9]{10}\.?[0-9]*)([,}])', blank("#"), text)
    print(json.dumps(text))
    seen += 1
print(f"{seen} envelopes", file=sys.stderr)
