#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""schema-check.py SCHEMA [FILE...]: are these JSON texts what SCHEMA says?

Stricter than JSON Schema in what readers in Go and JavaScript mind: an integer
has no fraction and no exponent, a number is finite, a member comes once, texts
are UTF-8. Names what is wrong and where; exit 1 then.
"""
import json
import sys

import jsonschema


def once(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice: %s" % [k for k, _ in pairs])
    return members


def refuse(word):
    raise ValueError("%s is no JSON" % word)


def read(file):
    text = file.buffer.read() if file is sys.stdin else file.read()
    return json.loads(text.decode("utf-8"), object_pairs_hook=once,
                      parse_constant=refuse)


def is_integer(_checker, value):
    return isinstance(value, int) and not isinstance(value, bool)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    checker = jsonschema.Draft7Validator.TYPE_CHECKER.redefine(
        "integer", is_integer)
    validator = jsonschema.validators.extend(
        jsonschema.Draft7Validator, type_checker=checker)(schema)
    bad = 0
    for name in sys.argv[2:] or ["-"]:
        file = sys.stdin if name == "-" else open(name, "rb")
        for error in validator.iter_errors(read(file)):
            where = "/".join(str(part) for part in error.absolute_path)
            print("%s: /%s: %s" % (name, where, error.message[:300]))
            bad += 1
    sys.exit(1 if bad else 0)


main()
