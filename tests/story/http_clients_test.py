#!/usr/bin/env python3
"""Programs that know nothing of weir: real clients and real origins get along with it as with each other.

A program that is not installed skips its story and says so.
"""

import contextlib
import hashlib
import http.client
import http.server
import json
import os
import random
import re
import shutil
import subprocess
import textwrap
import threading
import unittest
import urllib.request

from harness import PATIENCE, eventually, main, scaled
from http_story import HttpStory
from sockets import port_of


def find(name):
    """Its path. Servers lie where not everybody looks."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")


# Where Debian has the modules of its packages; a Node from elsewhere does not look there.
NODE_ENVIRONMENT = {**os.environ, "NODE_PATH": "/usr/share/nodejs:" + os.environ.get("NODE_PATH", "")}


def program(name, package=None):
    """Skips a story where this is not installed."""
    return unittest.skipUnless(find(name), f"{name} is not installed (Debian package {package or name})")


def node_has(module):
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(["node", "-e", f"require('{module}')"], capture_output=True, timeout=30,
                              check=False, env=NODE_ENVIRONMENT).returncode == 0
    return False


def echo(call):
    """Says what it got: method, target, the body's sum."""
    body = call.body()
    said = {"method": call.request.method, "target": call.request.target, "size": len(body),
            "sum": hashlib.sha256(body).hexdigest(), "version": call.request.version}
    call.answer(200, {"Content-Type": "application/json"}, json.dumps(said).encode())


class Clients(HttpStory):
    def run_program(self, *words, check=True, text=True, stdin=None):
        result = subprocess.run(words, capture_output=True, text=text, timeout=60 * PATIENCE, check=False,
                                cwd=self.folder, input=stdin, env=NODE_ENVIRONMENT)
        if check:
            self.assertEqual(result.returncode, 0, f"{words}\n{result.stdout}\n{result.stderr}")
        return result

    def url(self, weir, target="/"):
        return f"http://{weir.address()}{target}"

    def file_of(self, size, name="payload"):
        data = random.Random(size).randbytes(size)
        with open(self.path(name), "wb") as file:
            file.write(data)
        return data

    def expect_no_errors(self, weir, requests):
        """So many good answers at least, and nothing else."""
        listener = weir.listener()
        self.assertGreaterEqual(listener["answers_2xx"], requests)
        self.assertEqual((listener["answers_4xx"], listener["answers_5xx"], listener["requests_refused"]), (0, 0, 0))
        self.assertEqual(weir.total("unexpected_errors"), 0)


@program("curl")
class Curl(Clients):
    def curl(self, *words, **more):
        return self.run_program("curl", "-sS", "--max-time", str(30 * PATIENCE), *words, **more)

    def test_methods(self):
        weir = self.http_weir([self.http_origin(echo)])
        empty = hashlib.sha256(b"").hexdigest()
        calls = (
            ([], "GET", b""), (["-X", "DELETE"], "DELETE", b""), (["-d", "a=b&c=d"], "POST", b"a=b&c=d"),
            (["-X", "PATCH", "-d", "x"], "PATCH", b"x"), (["--http1.0"], "GET", b""), (["--http1.1"], "GET", b""),
            (["-H", "Transfer-Encoding: chunked", "-d", "chunked"], "POST", b"chunked"),
            (["-H", "Expect: 100-continue", "-d", "expected"], "POST", b"expected"),
        )
        for words, method, body in calls:
            with self.subTest(words=words):
                said = json.loads(self.curl(*words, self.url(weir, "/x?y=z")).stdout)
                self.assertEqual((said["method"], said["target"], said["size"]), (method, "/x?y=z", len(body)))
                self.assertEqual(said["sum"], hashlib.sha256(body).hexdigest() if body else empty)
        self.expect_no_errors(weir, len(calls))

    def test_head(self):
        weir = self.http_weir([self.http_origin(lambda call: call.answer(200, {"X-Origin": "o"}, b"x" * 77))])
        head = self.curl("-I", self.url(weir)).stdout.lower()
        self.assertIn("http/1.1 200", head)
        self.assertIn("content-length: 77", head)
        self.assertIn("x-origin: o", head)

    def test_an_upload(self):
        weir = self.http_weir([self.http_origin(echo)])
        data = self.file_of(scaled(20 << 20))
        for words in (["-T", "payload"], ["-T", "payload", "-H", "Transfer-Encoding: chunked"],
                      ["-X", "POST", "--data-binary", "@payload"], ["-T", "payload", "--http1.0"]):
            with self.subTest(words=words):
                if words[-1] == "--http1.0":
                    words = [*words, "-H", "Expect:"]
                said = json.loads(self.curl(*words, self.url(weir, "/up")).stdout)
                self.assertEqual((said["size"], said["sum"]), (len(data), hashlib.sha256(data).hexdigest()))
        self.expect_no_errors(weir, 4)

    def test_a_download(self):
        origin = self.origin()
        weir = self.http_weir([origin])
        size = scaled(50 << 20)
        for query in ("", "?chunked=1"):
            with self.subTest(query=query):
                target = f"/bytes/{size}{query}"
                self.curl("-o", "through", self.url(weir, target))
                self.curl("-o", "direct", f"http://{origin.address}{target}")
                self.assertEqual(os.path.getsize(self.path("through")), size)
                self.run_program("cmp", "through", "direct")

    def test_several_over_one_connection(self):
        weir = self.http_weir([self.http_origin(echo)])
        urls = [self.url(weir, f"/{i}") for i in range(20)]
        answers = self.curl(*urls).stdout
        self.assertEqual(re.findall(r'"target": "/(\d+)"', answers), [str(i) for i in range(20)])
        self.assertEqual(weir.listener()["connections_total"], 1)

    def test_an_error_of_ours(self):
        weir = self.http_weir([self.nobody_at()])
        result = self.curl("-w", "\n%{http_code} %{content_type}", self.url(weir))
        self.assertIn('"reason":"connect_failed"', result.stdout)
        self.assertTrue(result.stdout.endswith("503 application/json"), result.stdout)
        self.assertEqual(self.curl("-f", self.url(weir), check=False).returncode, 22)


class Loads(Clients):
    """Programs that make load. They count errors themselves, and so does weir."""

    def loaded_weir(self):
        return self.http_weir([self.origin(name=name) for name in "ab"], workers=2)

    @program("wrk")
    def test_wrk(self):
        weir = self.loaded_weir()
        report = self.run_program("wrk", "-t2", "-c32", "-d1s", self.url(weir)).stdout
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)
        self.expect_no_errors(weir, int(re.search(r"(\d+) requests in", report)[1]))

    @program("ab", "apache2-utils")
    def test_ab(self):
        weir = self.loaded_weir()
        requests = scaled(2000)
        for words in ([], ["-k"]):
            report = self.run_program("ab", "-q", *words, "-n", str(requests), "-c", "16", self.url(weir)).stdout
            self.assertRegex(report, rf"Complete requests: +{requests}\n")
            self.assertRegex(report, r"Failed requests: +0\n")
            self.assertNotIn("Non-2xx", report)
            if words:
                self.assertRegex(report, rf"Keep-Alive requests: +{requests}\n")
        self.expect_no_errors(weir, 2 * requests)

    @program("h2load", "nghttp2-client")
    def test_h2load(self):
        weir = self.loaded_weir()
        requests = scaled(5000)
        report = self.run_program("h2load", "--h1", "-n", str(requests), "-c", "20", "-m", "10",
                                  self.url(weir)).stdout
        self.assertIn(f"{requests} succeeded, 0 failed, 0 errored, 0 timeout", report)
        self.expect_no_errors(weir, requests)


class Python(Clients):
    """The standard library's client."""

    def test_one_connection(self):
        weir = self.http_weir([self.http_origin(echo)])
        client = http.client.HTTPConnection(weir.address(), timeout=10 * PATIENCE)
        for i in range(10):
            client.request("POST", f"/{i}", body=b"x" * i)
            said = json.loads(client.getresponse().read())
            self.assertEqual((said["target"], said["size"]), (f"/{i}", i))
        client.request("PUT", "/chunks", body=iter([b"a" * 10, b"b" * 1000]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
        self.assertEqual(json.loads(client.getresponse().read())["size"], 1010)
        client.close()
        self.assertEqual(weir.listener()["connections_total"], 1)
        self.expect_no_errors(weir, 11)


NODE_CLIENT = """
const http = require('http');
const agent = new http.Agent({keepAlive: true, maxSockets: 4});
const total = 200;
let done = 0;
for (let i = 0; i < total; ++i) {
  const body = 'x'.repeat(i * 50);
  const request = http.request({agent, host: '127.0.0.1', port: PORT, path: '/' + i, method: 'POST',
      headers: i % 2 ? {'Content-Length': body.length} : {}}, answer => {
    let text = '';
    answer.on('data', piece => text += piece);
    answer.on('end', () => {
      const said = JSON.parse(text);
      if (answer.statusCode !== 200 || said.target !== '/' + i || said.size !== body.length) {
        console.log('wrong', i, text);
        process.exit(1);
      }
      if (++done === total) { console.log('done'); agent.destroy(); }
    });
  });
  request.on('error', error => { console.log('error', i, error.message); process.exit(1); });
  request.end(body);
}
"""

NODE_ORIGIN = """
const http = require('http');
const crypto = require('crypto');
const server = http.createServer((request, answer) => {
  const sum = crypto.createHash('sha256');
  let size = 0;
  request.on('data', piece => { sum.update(piece); size += piece.length; });
  request.on('end', () => {
    const said = JSON.stringify({method: request.method, target: request.url, size, sum: sum.digest('hex')});
    if (request.url === '/chunked') { answer.write(said); answer.end(); } else { answer.end(said); }
  });
});
server.on('upgrade', (request, socket, head) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
  socket.write(head);
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""

NODE_WEBSOCKETS = """
const {WebSocketServer, WebSocket} = require('ws');
const server = new WebSocketServer({host: '127.0.0.1', port: 0}, () => console.log(server.address().port));
server.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, {binary})));
"""

NODE_WEBSOCKET_CLIENT = """
const {WebSocket} = require('ws');
const socket = new WebSocket('ws://127.0.0.1:PORT/chat');
let round = 0;
const text = n => 'message ' + n + ' ' + 'x'.repeat(n * 1000);
socket.on('open', () => socket.send(text(0)));
socket.on('message', data => {
  if (data.toString() !== text(round)) { console.log('wrong', round); process.exit(1); }
  if (++round === 100) { console.log('done'); socket.close(1000); } else { socket.send(text(round)); }
});
socket.on('close', code => process.exit(code === 1000 && round === 100 ? 0 : 1));
socket.on('error', error => { console.log(error.message); process.exit(1); });
"""


class Helper:
    """A program in the background, which says its port in its first line if it is asked to choose one."""

    def __init__(self, *words, cwd):
        self._process = subprocess.Popen(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                         env=NODE_ENVIRONMENT)

    def line(self):
        return self._process.stdout.readline().strip()

    def close(self):
        self._process.terminate()
        self._process.wait(10 * PATIENCE)
        self._process.stdout.close()


class OtherOrigins(Clients):
    def helper(self, *words):
        helper = Helper(*words, cwd=self.folder)
        self.addCleanup(helper.close)
        return helper

    def tearDown(self):
        """They keep connections open for long; when they are gone, so are these."""
        self.doCleanups()
        super().tearDown()

    def node(self, script):
        return self.helper("node", "-e", textwrap.dedent(script))

    def expect_good_service(self, weir, target="/payload", times=50):
        """What every origin can do."""
        data = self.file_of(300_000)
        for words in ({}, {"version": "1.0"}):
            answer = self.get(weir, target, **words)
            self.assertEqual((answer.status, answer.body == data), (200, True))
        client = self.client(weir)
        for _ in range(times):
            answer = client.get(target)
            self.assertEqual((answer.status, answer.body == data), (200, True))
        head = client.ask("HEAD", target)
        self.assertEqual((head.status, head.get("content-length")), (200, str(len(data))))
        self.assertEqual(client.get("/there-is-no-such-file").status, 404)
        client.close()

    @program("nginx", "nginx-light")
    def test_nginx(self):
        self.file_of(300_000)
        address = f"unix:{self.path('nginx.sock')}"
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(f"""
                daemon off; master_process off; pid {self.path('nginx.pid')}; error_log {self.path('error.log')};
                events {{}}
                http {{
                  access_log off; client_body_temp_path {self.path('body')}; proxy_temp_path {self.path('proxy')};
                  fastcgi_temp_path {self.path('fastcgi')}; uwsgi_temp_path {self.path('uwsgi')};
                  scgi_temp_path {self.path('scgi')};
                  server {{ listen {address}; root {self.folder}; keepalive_requests 7; }}
                }}"""))
        self.helper(find("nginx"), "-e", self.path("error.log"), "-p", self.folder, "-c", self.path("nginx.conf"))
        weir = self.http_weir([{"name": "nginx", "address": address}])
        eventually(lambda: self.get(weir).status in (403, 404), what="nginx serves")
        self.expect_good_service(weir)
        client = self.client(weir)
        part = client.get("/payload", {"Range": "bytes=1000-1999"})
        self.assertEqual((part.status, part.body), (206, self.file_of(300_000)[1000:2000]))
        tag = client.get("/payload").get("etag")
        self.assertEqual(client.get("/payload", {"If-None-Match": tag}).status, 304)
        self.assertEqual(weir.listener()["answers_5xx"], weir.endpoint("nginx")["connect_errors"])
        self.assertGreater(weir.endpoint("nginx")["reused"], 40, "it closes each connection after seven requests")

    def test_python(self):
        self.file_of(300_000)
        for version in ("HTTP/1.0", "HTTP/1.1"):
            with self.subTest(version=version):
                folder = self.folder

                class Handler(http.server.SimpleHTTPRequestHandler):
                    protocol_version = version

                    def __init__(self, *words, folder=folder, **more):
                        super().__init__(*words, directory=folder, **more)

                    def log_message(self, *words):
                        pass
                server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
                server.daemon_threads = True
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                try:
                    address = f"127.0.0.1:{server.server_port}"
                    weir = self.http_weir([{"name": "python", "address": address}], upstream={"pool": {"idle": 0}})
                    self.expect_good_service(weir)
                    with urllib.request.urlopen(self.url(weir, "/payload"), timeout=10 * PATIENCE) as answer:
                        self.assertEqual(answer.read(), self.file_of(300_000))
                finally:
                    server.shutdown()
                    thread.join()
                    server.server_close()
                self.assertEqual(weir.listener()["answers_5xx"], 0)

    @program("node", "nodejs")
    def test_node_on_both_sides(self):
        port = self.node(NODE_ORIGIN).line()
        weir = self.http_weir([{"name": "node", "address": f"127.0.0.1:{port}"}], workers=2)
        script = NODE_CLIENT.replace("PORT", str(port_of(weir.address())))
        self.assertEqual(self.run_program("node", "-e", script).stdout, "done\n")
        client = self.client(weir)
        data = self.file_of(100_000)
        for target, more in (("/plain", {"body": data}), ("/chunked", {"chunks": [data[:50_000], data[50_000:]]})):
            said = json.loads(client.ask("PUT", target, **more).body)
            self.assertEqual((said["size"], said["sum"]), (len(data), hashlib.sha256(data).hexdigest()))
        answer = client.get("/", {"Connection": "Upgrade", "Upgrade": "echo"})
        self.assertEqual(answer.status, 101)
        client.send(b"hello")
        self.assertEqual(client.stream.exactly(5), b"hello")
        client.close()
        self.assertEqual((weir.listener()["answers_4xx"], weir.listener()["answers_5xx"]), (0, 0))

    @program("node", "nodejs")
    @unittest.skipUnless(node_has("ws"), "the module ws of Node is not installed (Debian package node-ws)")
    def test_websockets(self):
        port = self.node(NODE_WEBSOCKETS).line()
        weir = self.http_weir([{"name": "ws", "address": f"127.0.0.1:{port}"}])
        script = NODE_WEBSOCKET_CLIENT.replace("PORT", str(port_of(weir.address())))
        self.assertEqual(self.run_program("node", "-e", script).stdout, "done\n")
        self.assertEqual(weir.listener()["answers_1xx"], 1)


if __name__ == "__main__":
    main()
