"""Writes small MaxMind DB files, so that stories need none from elsewhere.

    write("zones.mmdb", {"10.0.0.0/8": {"country": {"iso_code": "DE"}}, "2001:db8::/32": {"continent": {"code": "EU"}}})

By the description of the format, version 2.0: a search tree with records of 24 bits, the data, and the metadata that
end a file. Text is text, a whole number a uint32, True and False are themselves; dicts are maps, lists are lists.
"""

import ipaddress
import os

SEPARATOR = bytes(16)
METADATA = b"\xab\xcd\xefMaxMind.com"
IPV4_BITS = 96  # of an address of IPv6 before one of IPv4
TEXT, UINT16, UINT32, MAP, UINT64, LIST, BOOLEAN = 2, 5, 6, 7, 9, 11, 14


def write(path, networks, database_type="Weir-Test"):
    """`networks`: from a network, as text, to its record. The file is there in one piece, or not at all."""
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(encode_file(networks, database_type))
    os.replace(temporary, path)


def encode_file(networks, database_type):
    blocks = [(bits_of(network), record) for network, record in networks.items()]
    blocks.sort(key=lambda block: len(block[0]))  # those inside come after those around them
    nodes, data = [[None, None]], b""
    for bits, record in blocks:
        insert(nodes, bits, -1 - len(data))
        data += encode(record)
    tree = b"".join(encode_branch(branch, len(nodes)) for node in nodes for branch in node)
    metadata = {
        "binary_format_major_version": (UINT16, 2), "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, 1), "database_type": database_type, "description": {}, "ip_version": (UINT16, 6),
        "languages": [], "node_count": (UINT32, len(nodes)), "record_size": (UINT16, 24),
    }
    return tree + SEPARATOR + data + METADATA + encode(metadata)


def bits_of(network):
    """The prefix as a text of 0 and 1, in the tree of IPv6."""
    block = ipaddress.ip_network(network)
    bits = f"{int(block.network_address):0{block.max_prefixlen}b}"[:block.prefixlen]
    bits = bits if block.version == 6 else "0" * IPV4_BITS + bits
    if not bits:
        raise ValueError("a record of ::/0 needs a tree without nodes; write ::/1 and 8000::/1")
    return bits


def insert(nodes, bits, branch):
    """A branch is None, the number of a node, or -1 minus the place of a record in the data."""
    at = 0
    for bit in map(int, bits[:-1]):
        below = nodes[at][bit]
        if below is None or below < 0:
            nodes.append([below, below])
            nodes[at][bit] = below = len(nodes) - 1
        at = below
    nodes[at][int(bits[-1])] = branch


def encode_branch(branch, nodes):
    number = nodes if branch is None else branch if branch >= 0 else nodes + len(SEPARATOR) + (-1 - branch)
    return number.to_bytes(3, "big")


def encode(value):
    if isinstance(value, dict):
        return head(MAP, len(value)) + b"".join(encode(key) + encode(inner) for key, inner in value.items())
    if isinstance(value, list):
        return head(LIST, len(value)) + b"".join(encode(inner) for inner in value)
    if isinstance(value, bool):
        return head(BOOLEAN, int(value))
    if isinstance(value, str):
        text = value.encode()
        return head(TEXT, len(text)) + text
    kind, number = value if isinstance(value, tuple) else (UINT32, value)
    size = {UINT16: 2, UINT32: 4, UINT64: 8}[kind]
    return head(kind, size) + number.to_bytes(size, "big")


def head(kind, size):
    """Kinds above 7 are in a byte of their own, and so is what a size has above 28."""
    if size >= 29 + 256:
        raise ValueError(f"{size} is more than a test needs")
    control = (kind << 5 if kind <= 7 else 0) | min(size, 29)
    return bytes([control] + ([kind - 7] if kind > 7 else []) + ([size - 29] if size >= 29 else []))
