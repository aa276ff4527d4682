#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# text-check.py PROBE CHECK - judge what text-probe writes with parsers that
# are not ours: Python's json, csv, html.parser, ElementTree and literals,
# Graphviz. What must come out is computed here from the names' bytes, the
# model's dump and the rules of the headers.

import ast
import base64
import csv
import html.parser
import io
import json
import math
import re
import struct
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET

PROBE = sys.argv[1]
csv.field_size_limit(1 << 30)

NAMES = [
    b"", b" ", b"GET /cart", b"a b  c ", b"null", b"true", b"-", b"\\", b'"',
    b"'", b"`", b"``${x}`$(id)`;|&", b"\0", b"a\0b\0", b"\xff", b"\xfe\xff",
    b"\x80\x80\x80", b"\xc0\x80", b"\xc0\xaf", b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe4\xb8", b"\xf0\x9f\x98",
    b"caf\xc3", b"\xc3\xc3\xa9", "\ufffd".encode(), "caf\u00e9".encode(),
    "\u4e2d\u6587".encode(), "\U0001f600\U0001f468\u200d\U0001f469".encode(),
    "e\u0301".encode(), "\u0301".encode(), ("Z" + "\u0300" * 30).encode(),
    b"\x1b[31mred\x1b[0m", b"\x1b]0;title\x07", b"\x1b]8;;http://x\x1b\\y",
    b"\x9b31m", "\u009b31m\u0085".encode(), b"a\rb", b"a\r\nb", b"a\nb\n",
    b"\n", b"\r", b"\t\v\f\b\a", b"\x7f", "\u202euser\u202c".encode(),
    "\u2066\u2069\u200e\u200f\u061c".encode(), "a\u200bb\u200c\ufeff".encode(),
    "\u2028\u2029".encode(), "\U000e0041\U000e007f".encode(),
    "\ufffe\uffff\ufdd0\U0010ffff".encode(), "\u00ad\u2060".encode(),
    "\U0001d173".encode(), b"=1+1", b"+1+1", b"-1-1", b"-5", b"+5.5e-3",
    b"@SUM(A1)", b"=cmd|' /C calc'!A0", b"\t=1", b"\r=1", b"\n=1",
    b"=HYPERLINK(\"http://x\",\"y\")", b"-1.", b"-.5", b"--1", b"+",
    "\uff1d1".encode(), "\uff0b1".encode(), "\uff0d1".encode(),
    "\uff201".encode(), b"a,b;c|d\te", b'a"b""c', b"<script>alert(1)</script>",
    b"<!--", b"]]>", b"&amp;", b"&lt;b&gt;", b"&#60;", b"&", b"&unknown;",
    b"' onload='x", b'" onload="x', b"javascript:x", b"\\N", b"\\G\\E\\T\\H\\L",
    b"a\\nb", b"a\\lb\\r", b"\\\\", b'\\"', b"<b>bold</b>", b"<<b>>", b"a\\",
    b"{a|b}", b"%s%n%x", b"k=v k2=\"v\"", b"k=", b"a=\xff", b"..", b"/etc/x",
    b"{job=\"x\"} |= `y`", b"x" * 65536, b'"' * 3000, b"\\" * 3001,
    b"\n" * 100, "\u4e2d".encode() * 5000, b"\xff" * 3000, b"\0" * 3000,
]


def decode(b):
    """UTF-8, each byte of what is not valid as U+FFFD."""
    out, at = [], 0
    while at < len(b):
        for n in (1, 2, 3, 4):
            try:
                out.append(b[at:at + n].decode())
                break
            except UnicodeDecodeError:
                continue
        else:
            n = 1
            out.append("\ufffd")
        at += n
    return "".join(out)


def unsafe(c):
    o = ord(c)
    return (unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")
            or o & 0xfffe == 0xfffe or 0xfdd0 <= o <= 0xfdef)


def escape(c):
    o = ord(c)
    if c in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[c]
    if o < 0x80:
        return "\\x%02x" % o
    return "\\u%04x" % o if o < 0x10000 else "\\U%08x" % o


def visible(text, keep=""):
    return "".join(escape(c) if unsafe(c) and c not in keep else c
                   for c in text)


def csv_text(text, safe):
    formula = (text[:1] in "=@+-\t\r\n\uff0b\uff0d\uff1d\uff20" if text
               else False)
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        formula = False
    out = text.replace("\r\n", "\ue000")
    out = visible(out, "\n\t").replace("\ue000", "\r\n")
    return ("'" if safe and formula else "") + out


failed = 0


def expect(what, got, want):
    global failed
    if got != want:
        failed += 1
        a, b = repr(got), repr(want)
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), 0)
        at = max(0, at - 60)
        print("%s\n  got  %.200s\n  want %.200s" % (what, a[at:], b[at:]))


def probe(form, names):
    text = "".join(n.hex() + "\n" for n in names)
    out = subprocess.run([PROBE, "text", form], input=text.encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    lines = out.decode().split("\n")[:-1]
    assert len(lines) == len(names)
    return [bytes.fromhex(line).decode() for line in lines]


def encoded(form):
    return list(zip(NAMES, probe(form, NAMES)))


def no_controls(form, text, keep=""):
    bad = {c for c in text if unsafe(c) and c not in keep}
    expect("%s writes controls" % form, bad, set())


def check_json():
    for name, out in encoded("json"):
        expect("json", json.loads(out), decode(name))
        no_controls("json", out)


def check_csv():
    for form in ("csv", "csv-raw"):
        for name, out in encoded(form):
            rows = list(csv.reader(io.StringIO(out + ",x\r\n", newline="")))
            want = csv_text(decode(name), form == "csv")
            expect(form, rows, [[want, "x"]])
            no_controls(form, out, "\n\t\r")
            if "\r" in out.replace("\r\n", ""):
                expect(form + ": a lone CR", out, None)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.data, self.title = [], [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.title = dict(attrs).get("title")

    def handle_data(self, data):
        self.data.append(data)

    def handle_comment(self, data):
        self.tags.append("comment")

    def unknown_decl(self, data):
        self.tags.append("declaration")


def check_html():
    for name, out in encoded("html"):
        want = visible(decode(name), "\n\t")
        for quote in "\"'":
            page = Page()
            page.feed("<p title=%s%s%s>%s</p>" % (quote, out, quote, out))
            page.close()
            expect("html tags", page.tags, ["p"])
            expect("html text", "".join(page.data), want)
            expect("html attribute", page.title, want)
        tree = ET.fromstring("<p t=\"%s\">%s</p>" % (out, out))
        expect("xml", tree.text or "", want)


def check_quoted():
    for name, out in encoded("quoted"):
        expect("quoted", ast.literal_eval(out), decode(name))
        no_controls("quoted", out)


def logfmt(text):
    """key=value pairs, each bare or quoted."""
    pairs, at = [], 0
    token = re.compile(r'"(?:[^"\\]|\\.)*"|[^ ="]*')
    while at < len(text):
        pair = []
        for end in "= ":
            m = token.match(text, at)
            at = m.end()
            s = m.group()
            pair.append(ast.literal_eval(s) if s[:1] == '"' else s)
            if at < len(text):
                assert text[at] == end, (text[at - 5:at + 5], end)
                at += 1
        pairs.append(tuple(pair))
    return pairs


def check_logfmt():
    for name, out in encoded("logfmt"):
        text = "a=%s %s=b" % (out, out)
        expect("logfmt", logfmt(text),
               [("a", decode(name)), (decode(name), "b")])
        no_controls("logfmt", out)


def check_terminal():
    for name, out in encoded("terminal"):
        no_controls("terminal", out)
        want = visible(decode(name))
        if not any(unicodedata.combining(c) for c in want):
            expect("terminal", out, want)
        if re.search("[\u0300-\u036f]{5}", out):
            expect("terminal piles up marks", out, None)
    wide = {"W": 2, "F": 2}
    for name, out in encoded("fit"):
        no_controls("fit", out)
        columns = sum(0 if unicodedata.combining(c)
                      else wide.get(unicodedata.east_asian_width(c), 1)
                      for c in out)
        expect("fit takes 20 columns: %r" % out, columns, 20)


def check_dot():
    names = [n for n in NAMES if len(n) < 4000]
    outs = probe("dot", names)
    source = "digraph %s {\n" % outs[2]
    for i, out in enumerate(outs):
        no_controls("dot", out)
        source += "n%d [label=%s, tooltip=%s];\n" % (i, out, out)
        source += "n%d -> n0 [label=%s];\n" % (i, out)
    source += "}\n"
    run = subprocess.run(["dot", "-Tsvg", "-Kpatchwork"],
                         input=source.encode(), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=True)
    svg = "{http://www.w3.org/2000/svg}"
    seen = {}
    for g in ET.fromstring(run.stdout).iter(svg + "g"):
        if g.get("class") == "node":
            seen[g.find(svg + "title").text] = [
                t.text or "" for t in g.iter(svg + "text")]
    expect("dot nodes", len(seen), len(names))
    plain = str.maketrans("\u00a0", " ")
    for i, name in enumerate(names):
        lines = visible(decode(name), "\n").split("\n")
        # Graphviz draws no line for an empty end of a label.
        lines = [line.translate(plain).strip() for line in lines]
        got = [t.translate(plain).strip() for t in seen["n%d" % i]]
        expect("dot label", [x for x in got if x], [x for x in lines if x])


# ---- spans ----

def text_of(hexed):
    return decode(bytes.fromhex(hexed))


def double_of(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def number(d):
    """A double as JSON text, as JavaScript writes it."""
    if math.isnan(d):
        return "NaN"
    if math.isinf(d):
        return "Infinity" if d > 0 else "-Infinity"
    if d == 0:
        return "-0" if math.copysign(1, d) < 0 else "0"
    m, _, e = repr(d).partition("e")
    sign = "-" if m[0] == "-" else ""
    whole, _, part = m.lstrip("-").partition(".")
    digits = whole + part
    point = len(whole) + int(e or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    if point - 1 < -6 or point - 1 >= 21:
        return "%s%s%se%+d" % (sign, digits[0],
                               "." + digits[1:] if digits[1:] else "",
                               point - 1)
    if point <= 0:
        return sign + "0." + "0" * -point + digits
    if len(digits) <= point:
        return sign + digits + "0" * (point - len(digits))
    return sign + digits[:point] + "." + digits[point:]


def check_doubles():
    out = subprocess.run([PROBE, "doubles", "30000"], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    for line in out.splitlines():
        bits, text = line.split()
        expect("double %s" % bits, text, number(double_of(int(bits))))


def jsonl_value(v):
    """What a value of the dump must be in jsonl."""
    kind = v[0]
    if kind == 0:
        return None
    if kind == 1:
        return text_of(v[1])
    if kind == 2:
        return bool(v[1])
    if kind == 3:
        return ("int", v[1])
    if kind == 4:
        d = double_of(v[1])
        if not math.isfinite(d):
            return [("$double", number(d))]
        s = number(d)
        return ("float", s if "." in s or "e" in s else s + ".0")
    if kind == 5:
        return [("$bytes", base64.b64encode(bytes.fromhex(v[1])).decode())]
    if kind == 6:
        return ["array"] + [jsonl_value(x) for x in v[1]]
    keys = [k for k, _ in v[1]]
    if len(set(keys)) < len(keys) or keys and keys[0].startswith("24"):
        return [("$map", pairs_list(v[1]))]
    return pairs(v[1])


def pairs(attrs):
    """An object as a list of pairs, the first of each key."""
    out, seen = [], set()
    for k, v in attrs:
        if k not in seen:
            out.append((text_of(k), jsonl_value(v)))
        seen.add(k)
    return out


def pairs_list(attrs):
    return ["array"] + [["array", text_of(k), jsonl_value(v)]
                        for k, v in attrs]


def attrs_members(name, attrs):
    out = [(name, pairs(attrs))]
    keys = [k for k, _ in attrs]
    if len(set(keys)) < len(keys):
        out.append((name + "_list", pairs_list(attrs)))
    return out


def some(*members):
    return [(k, v) for k, v in members if v not in ("", ("int", 0), [])]


def trace_id(hexed):
    return hexed[16:] if hexed[:16] == "0" * 16 else hexed


def rfc3339(ns):
    import datetime
    t = datetime.datetime(1970, 1, 1) + datetime.timedelta(
        seconds=ns // 10**9)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % (ns % 10**9)


KINDS = [None, "internal", "server", "client", "producer", "consumer"]
STATUSES = ["unset", "ok", "error"]
REFS = {-1: "link", 0: "child_of", 1: "follows_from"}


class Span:
    def __init__(self, row):
        (self.trace, self.id, self.parent, self.service, self.name, self.kind,
         self.start, self.duration, self.status, self.message, self.flags,
         self.state, self.tags, self.dropped, self.process,
         self.process_dropped, self.url, self.events, self.refs, self.scope,
         self.dropped_events, self.dropped_refs, self.marks) = row


def jsonl_span(s):
    out = [("trace_id", trace_id(s.trace)), ("span_id", s.id),
           ("parent_id", None if s.parent == "0" * 16 else s.parent),
           ("service", text_of(s.service)), ("name", text_of(s.name)),
           ("kind", KINDS[s.kind]), ("start", rfc3339(s.start)),
           ("start_ns", ("int", s.start)),
           ("duration_ns", ("int", s.duration)),
           ("status", STATUSES[s.status])]
    out += some(("status_message", text_of(s.message)),
                ("flags", ("int", s.flags)),
                ("trace_state", text_of(s.state)))
    out += attrs_members("tags", s.tags) + attrs_members("process", s.process)
    events, refs = ["array"], ["array"]
    for ns, name, attrs, dropped in s.events:
        events.append([("time", rfc3339(ns)), ("time_ns", ("int", ns))]
                      + some(("name", text_of(name)))
                      + attrs_members("fields", attrs)
                      + some(("dropped_fields", ("int", dropped))))
    for trace, span, kind, flags, state, attrs, dropped in s.refs:
        refs.append([("type", REFS.get(kind, ("int", kind))),
                     ("trace_id", trace_id(trace)), ("span_id", span)]
                    + some(("flags", ("int", flags)),
                           ("trace_state", text_of(state)))
                    + (attrs_members("tags", attrs) if attrs else [])
                    + some(("dropped_tags", ("int", dropped))))
    out += [("events", events), ("refs", refs)]
    if s.scope:
        name, version, attrs, dropped, url = s.scope
        out.append(("scope", [("name", text_of(name))]
                    + some(("version", text_of(version)))
                    + (attrs_members("tags", attrs) if attrs else [])
                    + some(("dropped_tags", ("int", dropped)),
                           ("schema_url", text_of(url)))))
    out += some(("schema_url", text_of(s.url)),
                ("dropped_tags", ("int", s.dropped)),
                ("dropped_process", ("int", s.process_dropped)),
                ("dropped_events", ("int", s.dropped_events)),
                ("dropped_refs", ("int", s.dropped_refs)))
    if s.marks:
        out.append(("marks", ["array"] + [
            n for i, n in enumerate(("cut", "clamped", "renamed"))
            if s.marks >> i & 1]))
    return out


def arrays(v):
    """Tell arrays from objects, which object_pairs_hook makes lists."""
    if isinstance(v, list):
        return ["array"] + [arrays(x) for x in v]
    if isinstance(v, tuple) and v[0] == "object":
        return [(k, arrays(x)) for k, x in v[1]]
    return v


def parse(line):
    return arrays(json.loads(
        line, object_pairs_hook=lambda p: ("object", p),
        parse_int=lambda s: ("int", int(s)),
        parse_float=lambda s: ("float", s)))


def run_random(form, n):
    return subprocess.run([PROBE, "random", form, str(n)], check=True,
                          stdout=subprocess.PIPE).stdout


def random_spans(n):
    return [Span(ast.literal_eval(line))
            for line in run_random("dump", n).decode().splitlines()]


def check_jsonl():
    n = 400
    out = run_random("jsonl", n)
    lines = out.decode().split("\n")[:-1]
    expect("jsonl lines", len(lines), n)
    for s, line in zip(random_spans(n), lines):
        no_controls("jsonl", line)
        expect("jsonl", parse(line), jsonl_span(s))
    jq = subprocess.run(["jq", "-c", ".trace_id"], input=out,
                        stdout=subprocess.PIPE, check=True).stdout
    expect("jq reads jsonl", jq.count(b"\n"), n)


def plain(v, nested=False):
    """A value as text, or as JSON inside of a value."""
    kind = v[0]
    if kind == 0:
        return "null" if nested else ""
    if kind == 1:
        text = text_of(v[1])
        return json_text(text) if nested else text
    if kind == 2:
        return "true" if v[1] else "false"
    if kind == 3:
        return str(v[1])
    if kind == 4:
        text = number(double_of(v[1]))
        return '"%s"' % text if nested and text[-1] in "Ny" else text
    if kind == 5:
        if nested:
            return '"%s"' % base64.b64encode(bytes.fromhex(v[1])).decode()
        return v[1]
    if kind == 6:
        return "[%s]" % ",".join(plain(x, True) for x in v[1])
    return "{%s}" % ",".join("%s:%s" % (json_text(text_of(k)), plain(x, True))
                             for k, x in v[1])


def json_text(text):
    def one(c):
        if c in '"\\':
            return "\\" + c
        if c in "\n\r\t":
            return escape(c)
        if not unsafe(c):
            return c
        units = c.encode("utf-16-be").hex()
        return "".join("\\u" + units[i:i + 4]
                       for i in range(0, len(units), 4))
    return '"%s"' % "".join(map(one, text))


def csv_row(s, safe):
    def tags(attrs):
        return [(text_of(k), plain(v)) for k, v in attrs]
    return ([trace_id(s.trace), s.id,
             "" if s.parent == "0" * 16 else s.parent,
             csv_text(text_of(s.service), safe),
             csv_text(text_of(s.name), safe), KINDS[s.kind] or "",
             rfc3339(s.start), str(s.start), str(s.duration),
             STATUSES[s.status], csv_text(text_of(s.message), safe)],
            [tags(s.tags), tags(s.process)], [str(len(s.events))])


def check_csv_rows():
    n = 300
    for form in ("csv", "csv-raw"):
        text = run_random(form, n).decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        expect(form + " rows", len(rows), n + 1)
        for s, row in zip(random_spans(n), rows[1:]):
            first, maps, last = csv_row(s, form == "csv")
            expect(form, row[:11] + row[13:], first + last)
            for got, want in zip(row[11:13], maps):
                if form == "csv" and got[:1] == "'":
                    got = got[1:]
                expect(form + " tags", logfmt(got), want)


# ---- Jaeger JSON ----

TYPES = ["string", "string", "bool", "int64", "float64", "binary", "string",
         "string"]


def jaeger_tag(key, v):
    kind = v[0]
    if kind == 2:
        value = bool(v[1])
    elif kind == 3:
        value = (("int", v[1]) if abs(v[1]) < 1 << 53 else str(v[1]))
    elif kind == 4:
        s = number(double_of(v[1]))
        value = (s if s[-1] in "Ny" else
                 ("float" if "." in s or "e" in s else "int",
                  s if "." in s or "e" in s else int(s)))
    elif kind == 5:
        value = base64.b64encode(bytes.fromhex(v[1])).decode()
    else:
        value = plain(v)
    return [("key", key), ("type", TYPES[kind]), ("value", value)]


def said(s):
    """Kind, status and message as the tags alone say them."""
    kind, status, message, code = 0, 0, "", False
    for k, v in s.tags:
        k = text_of(k)
        text = text_of(v[1]) if v[0] == 1 else None
        if k == "error" and not code:
            if v == (2, 1) or text == "true":
                status = 2
        elif k == "span.kind" and text and not kind:
            if text.lower() in KINDS[1:]:
                kind = KINDS.index(text.lower())
        elif k == "otel.status_code" and text and not code:
            if text.lower() in STATUSES:
                status, code = STATUSES.index(text.lower()), True
        elif k == "otel.status_description" and v[0] == 1 and not message:
            message = v[1]
    return kind, status, message


def jaeger_tags(s):
    keys = {text_of(k) for k, _ in s.tags}
    out = []

    def known(key, text):
        if text and key not in keys:
            out.append([("key", key), ("type", "string"), ("value", text)])

    kind, status, message = said(s)
    if s.scope:
        known("otel.scope.name", text_of(s.scope[0]))
        known("otel.scope.version", text_of(s.scope[1]))

    def denied(key, text):
        if text and key in keys:
            out.append([("key", key), ("type", "string"), ("value", text)])

    # Readers take the first of several tags of a key.
    if kind != s.kind:
        denied("span.kind", KINDS[s.kind])
    if status != s.status:
        denied("otel.status_code", ["", "OK", "ERROR"][s.status])
    if message != s.message:
        denied("otel.status_description", text_of(s.message))
    out += [jaeger_tag(text_of(k), v) for k, v in s.tags]
    if kind != s.kind:
        known("span.kind", KINDS[s.kind])
    if status != s.status:
        known("otel.status_code", ["", "OK", "ERROR"][s.status])
        if s.status == 2 and "error" not in keys:
            out.append([("key", "error"), ("type", "bool"), ("value", True)])
    if message != s.message:
        known("otel.status_description", text_of(s.message))
    known("w3c.tracestate", text_of(s.state))
    return out


def jaeger_refs(s):
    def child_of(r):
        if r[2] != -1:
            return r[2] == 0
        for k, v in r[5]:
            if text_of(k) == "opentracing.ref_type":
                return v == (1, b"child_of".hex())
        return False

    def ref(r):
        return [("refType", "CHILD_OF" if child_of(r) else "FOLLOWS_FROM"),
                ("traceID", trace_id(r[0])), ("spanID", r[1])]

    refs = list(s.refs)
    if s.parent != "0" * 16:
        named = [r for r in refs if (r[0], r[1]) == (s.trace, s.parent)]
        if not named:
            refs.insert(0, (s.trace, s.parent, 0, 0, "", [], 0))
        elif named[0][2] == -1:
            at = refs.index(named[0])
            refs.insert(0, refs.pop(at))
    return ["array"] + [ref(r) for r in refs]


WARNINGS = ["a text, list or nesting was cut",
            "a time did not fit and was clamped",
            "a name was missing, empty or not UTF-8"]


def jaeger_span(s, process):
    logs = ["array"]
    for ns, name, attrs, _ in s.events:
        fields = [jaeger_tag(text_of(k), v) for k, v in attrs]
        if name and all(text_of(k) != "event" for k, _ in attrs):
            fields.insert(0, jaeger_tag("event", (1, name)))
        logs.append([("timestamp", ("int", ns // 1000)),
                     ("fields", ["array"] + fields)])
    out = [("traceID", trace_id(s.trace)), ("spanID", s.id)]
    # With a scope they are W3C's, of which Jaeger knows "sampled".
    out += some(("flags", ("int", s.flags & 1 if s.scope else s.flags)))
    out += [("operationName", text_of(s.name)), ("references", jaeger_refs(s)),
            ("startTime", ("int", s.start // 1000)),
            ("duration", ("int", s.duration // 1000)),
            ("tags", ["array"] + jaeger_tags(s)), ("logs", logs),
            ("processID", process),
            ("warnings", ["array"] + [w for i, w in enumerate(WARNINGS)
                                      if s.marks >> i & 1]
             if s.marks else None)]
    return out


def check_jaeger():
    n = 400
    spans = random_spans(n)
    text = run_random("jaeger", n).decode()
    no_controls("jaeger", text)
    got = parse(text)
    numbers, want = {}, ["array"]
    for s in spans:
        process = [("serviceName", text_of(s.service)),
                   ("tags", ["array"] + [jaeger_tag(text_of(k), v)
                                         for k, v in s.process])]
        key = repr(process)
        if key not in numbers:
            numbers[key] = ("p%d" % (len(numbers) + 1), process)
        want.append(jaeger_span(s, numbers[key][0]))
    expect("jaeger members", [k for k, _ in got],
           ["traceID", "spans", "processes", "warnings"])
    got = dict(got)
    expect("jaeger trace id", got["traceID"], trace_id(spans[0].trace))
    expect("jaeger warnings", got["warnings"], None)
    expect("jaeger processes", got["processes"], list(numbers.values()))
    expect("jaeger spans", len(got["spans"]), len(want))
    for a, b in zip(got["spans"][1:], want[1:]):
        expect("jaeger span", a, b)


CHECKS = {f.__name__[6:].replace("_", "-"): f
          for f in list(globals().values())
          if callable(f) and f.__name__.startswith("check_")}

if __name__ == "__main__":
    CHECKS[sys.argv[2]]()
    sys.exit(failed != 0)
