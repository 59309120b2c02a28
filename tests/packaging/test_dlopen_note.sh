#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The program tells what it opens with dlopen(), in the note that packagers' tools read, also when it is stripped.
set -euo pipefail

# shellcheck source=tests/packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

strip -o "$work/stripped" "$TCPTOP"
readelf --wide --notes "$work/stripped" >"$work/notes" || true # it fails when it does not know a type, as this one
grep -q '^ *FDO .*0x407c0c0a' "$work/notes" || fail "readelf finds no such note: $(cat "$work/notes")"
objcopy --dump-section .note.dlopen="$work/note" "$work/stripped" "$work/copy"
python3 - "$work/note" >"$work/sonames" <<'PYTHON'
import json
import struct
import sys

with open(sys.argv[1], "rb") as stream:
    note = stream.read()
owner_size, text_size, kind = struct.unpack_from("=III", note)
assert (note[12 : 12 + owner_size], kind) == (b"FDO\0", 0x407C0C0A), note
text = note[12 + owner_size :][:text_size]
assert text.endswith(b"\0") and len(note) % 4 == 0, note
for entry in json.loads(text[:-1]):
    assert entry["priority"] in ("required", "recommended", "suggested"), entry
    assert entry["feature"] and entry["description"], entry
    print(*entry["soname"], sep="\n")
PYTHON
[[ $(cat "$work/sonames") == libbcc.so.0 ]] || fail "it names $(tr '\n' ' ' <"$work/sonames")"
library=$(ldconfig -p | sed -n 's/.*libbcc\.so\.0 .* => //p' | head -n 1)
[[ -n $library ]] || skip "no libbcc here to compare with"
grep -qF "soname: [$(cat "$work/sonames")]" <(readelf -d "$library") || fail "$library has another soname"
