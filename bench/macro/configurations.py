"""How each candidate is configured and started: the text of its configuration, and its command line.

Each one proxies to the same three origins by round robin, with one worker on the given core, logs nothing per
connection or request, and otherwise has the defaults of its packager. An HTTP proxy here does what one cannot do
without: it finds the route by the prefix of the path, adds X-Forwarded-For, and keeps connections to both sides open,
for as many requests as come. The origin sees the Host that the client sent.

A function that ends in what it speaks (`haproxy_http`) makes the function that writes the text: of a Place.
"""

import os
from dataclasses import dataclass

NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


@dataclass(frozen=True)
class Place:
    """Where a candidate runs: on which address and core, in front of which origins, and the folder that is its own."""
    address: str
    origins: tuple
    cpu: int
    folder: str


# --- HAProxy ----------------------------------------------------------------------------------------------------------

# Alone, splice-auto hardly splices what we ask for; splice-response does, and costs the small answers more.
HAPROXY_SPLICE = "option splice-auto\n  option splice-response"


def haproxy_servers(place):
    return "\n".join(f"  server o{number} {origin}" for number, origin in enumerate(place.origins, start=1))


def haproxy_tcp(splice=False, more_global=""):
    def configure(place):
        return f"""
global
  nbthread 1
  {more_global}
defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen bench
  bind {place.address} backlog 8192
  balance roundrobin
  {HAPROXY_SPLICE if splice else ""}
{haproxy_servers(place)}
"""
    return configure


def haproxy_http(splice=False, more_global=""):
    def configure(place):
        return f"""
global
  nbthread 1
  {more_global}
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  option http-keep-alive
  option forwardfor
  http-reuse always
  {HAPROXY_SPLICE if splice else ""}
frontend bench
  bind {place.address} backlog 8192
  acl is_routed path_beg /
  use_backend origins if is_routed
backend origins
  balance roundrobin
{haproxy_servers(place)}
"""
    return configure


def run_haproxy(program, config, _place):
    return [program, "-db", "-f", config]


# --- nginx ------------------------------------------------------------------------------------------------------------

def nginx_user():
    """Workers keep our user: under another one they could not read the scratch folder."""
    return "user root;" if os.geteuid() == 0 else ""


def nginx_servers(place):
    return " ".join(f"server {origin};" for origin in place.origins)


def nginx_stream(more=""):
    module = f"load_module {NGINX_STREAM_MODULE};" if os.path.exists(NGINX_STREAM_MODULE) else ""

    def configure(place):
        return f"""
{module}
{nginx_user()}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 16000; multi_accept on; }}
stream {{
  upstream origins {{ {nginx_servers(place)} }}
  server {{ listen {place.address} backlog=8192; proxy_timeout 600s; {more} proxy_pass origins; }}
}}
"""
    return configure


def nginx_http(more=""):
    # By default nginx closes a connection after its thousandth request, on both sides.
    kept = "keepalive_requests 100000000; keepalive_timeout 600s;"

    def configure(place):
        return f"""
{nginx_user()}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 16000; multi_accept on; }}
http {{
  access_log off;
  {kept}
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  upstream origins {{ {nginx_servers(place)} keepalive 128; {kept} }}
  server {{
    listen {place.address} backlog=8192;
    location / {{
      proxy_pass http://origins;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      {more}
    }}
  }}
}}
"""
    return configure


def run_nginx(program, config, place):
    return [program, "-p", place.folder, "-e", os.path.join(place.folder, "error.log"), "-c", config]


# --- weir and the floor -----------------------------------------------------------------------------------------------

def weir_yaml(place, *listener):
    """`listener`: its lines after name and address."""
    lines = "\n    ".join(listener)
    return f"""
workers: 1
cpus: "{place.cpu}"
listeners:
  - name: bench
    address: "{place.address}"
    {lines}
upstreams:
  - {{name: origins, balance: round_robin, endpoints: ["{'", "'.join(place.origins)}"]}}
log: {{level: warn}}
"""


def weir_tcp(place):
    return weir_yaml(place, "mode: tcp", "upstream: origins")


def weir_http(*more):
    def configure(place):
        return weir_yaml(place, "mode: http", "routes: [{match: {path_prefix: /}, upstream: origins}]", *more)
    return configure


# Of the headers that weir adds by itself, those that the peers add too: X-Forwarded-For.
WEIR_HEADERS_OF_PEERS = (
    'forward: {x_real_ip: false, x_forwarded_proto: false, x_forwarded_host: false, request_id: false, via: "off"}')


def run_weir(program, config, _place):
    return [program, "run", "-c", config]


def run_floor(program, _config, place):
    return [program, place.address.rsplit(":", 1)[1], *place.origins]
