"""The origins: three nginx processes of one worker each, on the measured core, that answer from memory or sendfile.

They are the same for every candidate, and nobody's own: nginx, as most people have it behind their balancer.
"""

import contextlib
import os

from configurations import nginx_user
from processes import Pinned, free_address

ORIGINS = 3
BODIES = {"/hello": b"hello world\n", "/64k": b"a" * (64 * 1024), "/1m": b"a" * (1024 * 1024)}
# Answered from the configuration; the others are files.
INLINE = "/hello"

CONFIG = """
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 16000; multi_accept on; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  sendfile on;
  open_file_cache max=100;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  server {{
    listen {address} backlog=8192;
    root {www};
    location = {inline} {{ return 200 "hello world\\n"; }}
  }}
}}
"""


class Origins(contextlib.ExitStack):
    """Runs while the context is open. `addresses` are those of the origins, `processes` the origins themselves."""

    def __init__(self, nginx, cpu, scratch):
        super().__init__()
        self.addresses = [free_address() for _ in range(ORIGINS)]
        self.processes = []
        www = os.path.join(scratch, "www")
        os.mkdir(www)
        for path, body in BODIES.items():
            if path != INLINE:
                with open(www + path, "wb") as file:
                    file.write(body)
        try:
            for number, address in enumerate(self.addresses, start=1):
                self.processes.append(self.enter_context(start(nginx, cpu, scratch, number, address, www)))
        except BaseException:
            self.close()
            raise


def start(nginx, cpu, scratch, number, address, www):
    folder = os.path.join(scratch, f"origin{number}")
    os.mkdir(folder)
    config = os.path.join(folder, "origin.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(user=nginx_user(), address=address, www=www, inline=INLINE))
    command = [nginx, "-p", folder, "-e", os.path.join(folder, "error.log"), "-c", config]
    return Pinned(f"origin {number}", command, cpu, folder, [address])
