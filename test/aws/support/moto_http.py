"""Moto's HTTP server, over connections that are kept. Werkzeug's own ends each after one answer: a connection, a thread and a
wait for every request are nearly as much work as what moto does to answer it."""

import http.client
import io

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import WSGIRequestHandler

MAX_LINE = 65536
BODILESS = (204, 304)


def parse_headers(file, _class=http.client.HTTPMessage):
    """Python's own parses them as those of a mail. Here each is a line: nobody who calls moto folds them."""
    message = _class()
    for line in iter(lambda: file.readline(MAX_LINE), b""):
        if line in (b"\r\n", b"\n"):
            break
        name, _, value = line.decode("latin-1").partition(":")
        message.set_raw(name, value.strip())
    return message


http.client.parse_headers = parse_headers


def called(app, environ):
    """What a WSGI application answers: status, headers and the whole body."""
    head = []

    def start_response(status, headers, exc_info=None):
        head[:] = [status, headers]

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
        return (*head, body)
    finally:
        if hasattr(parts, "close"):
            parts.close()


class Kept(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code="-", size="-"):
        """Nobody reads it."""

    def run_wsgi(self):
        if "Transfer-Encoding" in self.headers or "Expect" in self.headers:
            # Where the body ends is known when it was read: as werkzeug does it, which ends the connection.
            return super().run_wsgi()
        environ = self.make_environ()
        # All of it, also what moto leaves unread: after it comes the next request.
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        try:
            answer = called(self.server.app, environ)
        except Exception as error:
            self.server.log("error", "Error on request: %r", error)
            answer = called(InternalServerError(), environ)
        self.give(*answer)

    def give(self, status, headers, body):
        names = {name.lower() for name, _ in headers}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        has_body = self.command != "HEAD" and int(status[:3]) not in BODILESS
        if has_body and "content-length" not in names:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head + body if has_body else head)
