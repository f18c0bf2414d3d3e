"""Writes one model's table of `models/anpr/weights/manifest.toml` and leaves the others as they are.

`python manifest.py MANIFEST TABLE FACTS`: FACTS is a JSON file whose object becomes the table
`[TABLE]`; nested objects become sub-tables. The file named by a `file` entry, beside the manifest,
is hashed into `sha256`.
"""

import argparse
import hashlib
import json
import pathlib
import re


def value(item):
    return json.dumps(item, ensure_ascii=False)


def table(name, facts):
    plain = {k: v for k, v in facts.items() if not isinstance(v, dict)}
    lines = [f"[{name}]"] + [f"{key} = {value(item)}" for key, item in plain.items()]
    for key, item in facts.items():
        if isinstance(item, dict):
            lines += ["", table(f"{name}.{key}", item)]
    return "\n".join(lines)


def sections(text):
    """The tables of a manifest by their first name, in order."""
    found = {}
    for part in re.split(r"(?m)^(?=\[)", text):
        match = re.match(r"\[([^\].]+)", part)
        if match:
            found[match[1]] = found.get(match[1], "") + part.rstrip() + "\n\n"
    return found


def write_table(manifest, name, facts):
    facts = dict(facts)
    if "file" in facts:
        facts["sha256"] = hashlib.sha256((manifest.parent / facts["file"]).read_bytes()).hexdigest()
    found = sections(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    found[name] = table(name, facts)
    text = "# Written by models/training/manifest.py.\n\n" + \
        "\n\n".join(found[key].strip() for key in sorted(found)) + "\n"
    manifest.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("table", choices=["detector", "reader", "refiner", "vehicles", "figures"])
    parser.add_argument("facts", type=pathlib.Path)
    args = parser.parse_args()
    write_table(args.manifest, args.table, json.loads(args.facts.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
