"""Receives envelopes like a tracker would and writes the ones with an event to a file.

One line each: {"sdk": …, "envelope": …} with the envelope decoded. Used by script/capture.
Usage: python recorder.py OUTPUT  (prints its DSN; stops on SIGTERM)
"""

import gzip
import json
import signal
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli

DECODERS = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress}


class Recorder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.read_body()
        body = DECODERS.get(self.headers.get("content-encoding"), bytes)(body)
        text = body.decode()
        if '"type":"event"' in text.replace(" ", ""):
            sdk = self.headers.get("user-agent", "").split(" ")[0]
            self.server.output.write(json.dumps({"sdk": sdk, "envelope": text}) + "\n")
            self.server.output.flush()
        self.answer(b"{}")

    def read_body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers["content-length"]))
        chunks = []
        while size := int(self.rfile.readline().strip(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def do_OPTIONS(self):
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("access-control-allow-headers", "*")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # SDKs hang up when they end.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Recorder)
server.output = open(sys.argv[1], "a", encoding="utf-8")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(f"http://0123456789abcdef0123456789abcdef@127.0.0.1:{server.server_port}/1", flush=True)
server.serve_forever()
