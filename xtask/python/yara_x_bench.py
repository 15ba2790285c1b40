"""yara-x for `cargo xtask bench malware`.

refused FOLDER     prints the rule files that it does not take
scan FOLDER LIST   compiles the rules, scans the files that LIST names, prints one line of JSON
"""

import json
import pathlib
import sys
import time

import yara_x

EXTERNALS = ["filename", "filepath", "extension", "filetype", "owner"]


def compiler():
    made = yara_x.Compiler(relaxed_re_syntax=True)
    for name in EXTERNALS:
        made.define_global(name, "")
    return made


def files(folder):
    return sorted(pathlib.Path(folder).glob("*.yar"))


def refused(folder):
    for path in files(folder):
        try:
            compiler().add_source(path.read_text(encoding="utf-8"))
        except (yara_x.CompileError, UnicodeDecodeError):
            print(path)


def scan(folder, listed):
    sources = [(path.stem, path.read_text(encoding="utf-8")) for path in files(folder)]
    targets = pathlib.Path(listed).read_text(encoding="utf-8").splitlines()
    start = time.process_time()
    made = compiler()
    for name, source in sources:
        made.new_namespace(name)
        made.add_source(source)
    scanner = yara_x.Scanner(made.build())
    compiled = time.process_time()
    hits = []
    for target in targets:
        result = scanner.scan_file(target)
        hits.extend((target, rule.identifier) for rule in result.matching_rules)
    done = time.process_time()
    print(json.dumps({
        "compile_us": (compiled - start) * 1e6,
        "scan_us": (done - compiled) * 1e6,
        "hits": hits,
    }))


if __name__ == "__main__":
    {"refused": refused, "scan": scan}[sys.argv[1]](*sys.argv[2:])
