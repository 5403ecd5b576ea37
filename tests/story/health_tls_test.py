#!/usr/bin/env python3
"""Probes by HTTPS: who it is counts as much as what it says."""

import contextlib
import ssl
import subprocess

from failing import Moody, ProbeStory, quick, says, well
from harness import PATIENCE, main
from http_origin import HttpOrigin


def certificate(folder, name):
    """A throwaway one that has signed itself, for this host; a PEM file of it and one of its key."""
    files = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-out", files[0], "-keyout", files[1], "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}"],
                   check=True, capture_output=True, timeout=60 * PATIENCE)
    return files


class TlsOrigin(HttpOrigin):
    def __init__(self, handler, name, files, **more):
        self.asked_for = set()  # names, as clients say them before they know who it is
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        self._context.sni_callback = lambda _sock, name, _context: self.asked_for.add(name)
        super().__init__(handler, name, **more)

    def _serve_requests(self, sock, connection):
        with contextlib.suppress(ssl.SSLError), self._context.wrap_socket(sock, server_side=True) as secure:
            super()._serve_requests(secure, connection)


class Tls(ProbeStory):
    def setUp(self):
        self.files = certificate(self.folder, "app.example")

    def tls_origin(self, name, files=None, mood=well):
        moody = Moody(mood)
        origin = TlsOrigin(moody, name, files or self.files)
        self.origins.append(origin)
        return moody, origin

    def probed(self, origins, **http):
        return self.weir_with(self.http(origins, health=quick(probe="http", http={"tls": "on", "path": "/health",
                                                                                       **http})))

    def test_verified(self):
        """The right one is well and falls ill by its answers; a stranger is not well, whatever it answers."""
        moody, right = self.tls_origin("right")
        _, stranger = self.tls_origin("stranger", certificate(self.folder, "other.example"))
        weir = self.probed([right, stranger], host="app.example", ca=self.files[0])
        self.expect_sick(weir, "stranger", "certificate")
        self.wait_for_rounds(weir, "right", 1)
        self.assertEqual(self.state(weir, "right"), "ready")
        self.assertEqual(right.asked_for, {"app.example"})
        self.assertEqual({(each.target, each.get("host")) for each in right.requests}, {("/health", "app.example")})
        self.assertEqual(stranger.requests, [], "nothing is said to a stranger")
        moody.feels("right", says(500))
        self.expect_sick(weir, "right", "status 500")
        moody.feels("right", well)
        self.expect_well(weir, "right")
        self.expect_times_down(weir, right=1, stranger=1)

    def test_another_name_than_the_certificate_is_for(self):
        _, origin = self.tls_origin("a")
        weir = self.probed([origin], host="app.example", server_name="www.example", ca=self.files[0])
        self.expect_sick(weir, "a", "certificate")
        self.assertEqual(origin.asked_for, {"www.example"})
        weir.reload(self.http([origin], health=quick(probe="http", http={
            "tls": "on", "host": "www.example", "server_name": "app.example", "ca": self.files[0]})))
        self.expect_well(weir, "a")
        self.assertEqual({each.get("host") for each in origin.requests}, {"www.example"})

    def test_who_signed_it_is_not_trusted(self):
        _, origin = self.tls_origin("a")
        weir = self.probed([origin], host="app.example")
        self.expect_sick(weir, "a", "certificate")

    def test_not_verified(self):
        moody, origin = self.tls_origin("a")
        weir = self.probed([origin], host="whoever.example", verify=False)
        self.wait_for_rounds(weir, "a", 3)
        self.expect_times_down(weir, a=0)
        moody.feels("a", says(503))
        self.expect_sick(weir, "a", "status 503")
        moody.feels("a", well)
        self.expect_well(weir, "a")

    def test_one_that_speaks_no_tls(self):
        weir = self.probed([self.http_origin(name="a")], verify=False)
        self.expect_sick(weir, "a", "TLS")
        for origin in self.origins:
            origin.troubles.clear()  # it got bytes that are no HTTP, as was to be expected


if __name__ == "__main__":
    main()
