# SPDX-License-Identifier: Apache-2.0
"""A message of otlp_messages.py as OTLP's JSON, and back.

Written by hand: ids are hex and not base64 as protobuf's own JSON has them.
What the specification leaves to the sender is left to chance: names with
underscores, numbers as texts, names of enumerations, null for what is not
there, the order of members, members of a later version.
"""

import base64
import json
import math
import re

KIND_NAMES = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER",
              "CONSUMER"]
STATUS_NAMES = ["UNSET", "OK", "ERROR"]
OLD_NAMES = {"scopeSpans": "instrumentationLibrarySpans",
             "scope": "instrumentationLibrary"}
IDS = ("trace_id", "span_id", "parent_span_id")


def camel(name):
    return re.sub(r"_([a-z])", lambda m: m.group(1).upper(), name)


class Writer:
    def __init__(self, rnd):
        self.rnd = rnd

    def chance(self, p):
        return self.rnd.random() < p

    def member_name(self, field):
        name = camel(field.name)
        if self.chance(0.1):
            return field.name
        return OLD_NAMES[name] if name in OLD_NAMES and self.chance(0.1) \
            else name

    def number(self, field, v):
        wide = field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64)
        if field.name == "kind" and 0 <= v < 6 and self.chance(0.2):
            return "SPAN_KIND_" + KIND_NAMES[v]
        if field.name == "code" and 0 <= v < 3 and self.chance(0.2):
            return "STATUS_CODE_" + STATUS_NAMES[v]
        return str(v) if self.chance(0.8 if wide else 0.1) else v

    def scalar(self, field, v):
        if field.cpp_type == field.CPPTYPE_BOOL:
            return v
        if field.cpp_type == field.CPPTYPE_DOUBLE:
            if math.isnan(v):
                return "NaN"
            if math.isinf(v):
                return "Infinity" if v > 0 else "-Infinity"
            return repr(v) if self.chance(0.1) else v
        if field.type != field.TYPE_BYTES:
            return self.number(field, v)
        if field.name in IDS:
            return v.hex().upper() if self.chance(0.2) else v.hex()
        if field.name == "bytes_value":
            return base64.b64encode(v).decode()
        return v.decode()

    def value(self, field, v):
        if field.cpp_type == field.CPPTYPE_MESSAGE:
            return self.message(v)
        return self.scalar(field, v)

    def message(self, m):
        members = []
        for field, v in m.ListFields():
            if field.label == field.LABEL_REPEATED:
                got = [self.value(field, i) for i in v]
            else:
                got = self.value(field, v)
            members.append((self.member_name(field), got))
        if self.chance(0.05):
            members.append(("later" + str(self.rnd.randrange(9)),
                            self.rnd.choice(({"name": [1]}, "x", 5, None))))
        if self.chance(0.2):
            self.rnd.shuffle(members)
        present = {camel(f.name) for f, _ in m.ListFields()}
        for f in m.DESCRIPTOR.fields:
            if camel(f.name) not in present and not f.containing_oneof and \
                    self.chance(0.05):
                members.append((camel(f.name), None))
        return dict(members)


def write(message, rnd):
    o = Writer(rnd).message(message)
    return json.dumps(o, ensure_ascii=rnd.random() < 0.5).encode()


def loads(data):
    """JSON; the number -0, too, has its sign."""
    return json.loads(data, parse_int=lambda s: -0.0 if s == "-0" else int(s))


def read(o, m):
    """An object of JSON, strictly as the specification has it, into M."""
    for name, v in o.items():
        field = next((f for f in m.DESCRIPTOR.fields
                      if camel(f.name) == name), None)
        if field is None:
            raise ValueError(f"no such member: {name}")
        for i in v if field.label == field.LABEL_REPEATED else [v]:
            put(m, field, i)
    return m


def put(m, field, v):
    if field.cpp_type == field.CPPTYPE_MESSAGE:
        to = getattr(m, field.name)
        if field.label == field.LABEL_REPEATED:
            to = to.add()
        else:
            to.SetInParent()
        read(v, to)
        return
    setattr(m, field.name, scalar(field, v))


def scalar(field, v):
    want = str if field.type == field.TYPE_BYTES else None
    if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64):
        want = str
    if want is str and not isinstance(v, str):
        raise ValueError(f"{field.name} is no text: {v!r}")
    if field.name in IDS:
        if v != v.lower() or len(v) not in (16, 32):
            raise ValueError(f"{field.name}: {v!r}")
        return bytes.fromhex(v)
    if field.name == "bytes_value":
        return base64.b64decode(v, validate=True)
    if field.type == field.TYPE_BYTES:
        return v.encode()
    if field.cpp_type == field.CPPTYPE_DOUBLE:
        return float(v)
    if field.cpp_type == field.CPPTYPE_BOOL:
        return v
    return int(v)
