# SPDX-License-Identifier: Apache-2.0
"""docs/recording.schema.json, with every object closed: a member that it does not know is a fault."""
import json
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def load():
    with open(os.path.join(ROOT, "docs", "recording.schema.json"), encoding="utf-8") as stream:
        return json.load(stream)


def checker():
    """A function that returns what is wrong with a line, a list of texts. ImportError without python3-jsonschema."""
    import jsonschema

    schema = load()
    jsonschema.Draft202012Validator.check_schema(schema)
    types = [branch["if"]["properties"]["type"]["const"] for branch in schema["allOf"]]
    for name in types:
        schema["$defs"][name]["unevaluatedProperties"] = False
    schema["properties"]["type"] = {"enum": types}
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"]))

    def check(line):
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(line))]

    return check


def faults(lines):
    """Of parsed lines, what is wrong with each; without python3-jsonschema nothing is."""
    try:
        check = checker()
    except ImportError:
        return []
    return [f"{fault} in {line}" for line in lines for fault in check(json.dumps(line))]
