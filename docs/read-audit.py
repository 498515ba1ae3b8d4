#!/usr/bin/env python3
"""Reads audit segments with nothing but Python's standard library, as docs/audit-format.md describes them.

Usage: read-audit.py SEGMENT...    prints one JSON object for each resolved field of each record
Segments of a node are given in the order of their numbers; fails in the end where frames are missing between them.
It shares no code with the program: what it prints must equal `cityquery audit expand`.
"""
import json, struct, sys, uuid, zlib

USES = ["select", "join", "filter", "order", "group", "aggregate", "cursor", "key"]

def cbor(data, at=0):
    """One item of the definite-length subset of RFC 8949 that the log uses; returns it and where the next begins."""
    major, small = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return {20: False, 21: True, 22: None}[small], at
    if small >= 24:
        length = 1 << (small - 24)
        small, at = int.from_bytes(data[at:at + length], "big"), at + length
    if major == 0: return small, at
    if major == 1: return -1 - small, at
    if major == 2: return data[at:at + small], at + small
    if major == 3: return data[at:at + small].decode(), at + small
    items = []
    for _ in range(small * (2 if major == 5 else 1)):
        item, at = cbor(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if major == 5 else items), at

def varints(data):
    number = shift = 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0

def rows(packed):
    last = 0
    for zigzag in varints(packed):
        last += (zigzag >> 1) ^ -(zigzag & 1)
        yield last

def positions(packing, packed, count):
    if packing == 2: return set(range(count))
    if packing == 1: return {at for at in range(count) if packed[at // 8] >> (at % 8) & 1}
    found, last = set(), 0
    for step in varints(packed):
        last += step
        found.add(last)
    return found

def frames(data):
    if not any(data[:40]): return # made ahead, not yet in use
    if data[:16] != b"cityquery-audit\n": sys.exit("not a segment")
    at, before = 16, None
    while any(data[at:at + 24]):
        length, crc, seq = struct.unpack_from("<IIQ", data, at)
        payload = data[at + 24:at + 24 + length]
        if zlib.crc32(data[at:at + 4] + data[at + 8:at + 24] + payload) != crc: sys.exit(f"bad frame at byte {at}")
        if before is not None and seq != before + 1: sys.exit(f"frames {before + 1} to {seq - 1} are missing")
        yield data[at + 20], seq, cbor(payload)[0]
        at, before = at + 24 + length, seq

def lines(record, shape):
    for path, type_name, _, columns in (rectangle[:4] for rectangle in shape):
        for key, field, owner, use, outcome in (column[:5] for column in columns):
            if use > 1:
                yield path, owner or type_name, field, key, None, use, "denied" if outcome == 2 else "used", None
    for number, count, packed, nulls, errors in (touched[:5] for touched in record.get(9, [])):
        path, type_name, _, columns = shape[number][:4]
        null = {column: positions(packing, at, count) for column, packing, at in nulls}
        failed = [(column, positions(packing, at, count), code) for column, packing, at, code in errors]
        for position, row in enumerate(rows(packed)):
            for index, (key, field, owner, use, outcome) in enumerate(column[:5] for column in columns):
                if use > 1: continue
                codes = [code for column, at, code in failed if column == index and position in at]
                if outcome == 2: shown, code = "denied", None
                elif codes: shown, code = "error", codes[-1]
                elif position in null.get(index, ()): shown, code = "null", None
                else: shown, code = ["shown", "masked"][outcome], None
                yield path, owner or type_name, field, key, row, use, shown, code

def main():
    last, is_whole = {}, True # number of each node's last frame
    for name in sys.argv[1:]:
        blobs, node, kind = {}, None, None
        for kind, seq, body in frames(open(name, "rb").read()):
            if kind == 1:
                node = body[1]
                if node in last and last[node] + 1 != seq:
                    is_whole = False
                    print(f"{name}: frames {last[node] + 1} to {seq - 1} are missing before this segment", file=sys.stderr)
            last[node] = seq
            if kind == 2: blobs[bytes(body[0])] = body[1]
            if kind != 3 or 7 not in body: continue
            record, shape = str(uuid.UUID(bytes=bytes(body[0]))), blobs[bytes(body[7][1])]
            shape = cbor(shape)[0][0] if shape else [] # nothing was planned
            for path, owner, field, key, row, use, outcome, code in lines(body, shape):
                line = {"path": path, "type": owner, "field": field, "key": key, "row": row, "use": USES[use], "outcome": outcome}
                if code: line["code"] = code
                print(json.dumps({"record": record, **line}, ensure_ascii=False))
        if kind not in (None, 6): print(f"{name} has no end: it is in use, or was cut", file=sys.stderr)
    sys.exit(not is_whole)

main()
