#!/usr/bin/env bash
# predict.sh - predictions through the command: the same twice, alike ranks told or not, what it
# refuses, timelines.
# SPDX-License-Identifier: MIT
set -u
here=$(cd "${srcdir:-.}" && pwd)
export SEQPAR_DATA=$here/topologies
command -v python3 >/dev/null || { echo "no python3 here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/tests/two-boxes.cluster" "$here/tests/two-boxes.json" "$work" || exit 99
seqpar=$PWD/seqpar
failed=0

fail() { echo "FAIL: $*"; failed=1; }

# predicted OPTION...: the rows, without the legend
predicted() { (cd "$work" && "$seqpar" predict --seq 8K --cluster two-boxes.cluster \
    --profile two-boxes.json "$@" 2>"$work/err" | grep -v '^#'); }

# column NAME FILE.csv: of all rows
column() { python3 -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[2])): print(row[sys.argv[1]])' "$1" "$2"; }

# says CODE PATTERN OPTION...: ends with the code, and one line of stderr matches
says()
{
    local want=$1 pattern=$2 code=0
    shift 2
    (cd "$work" && "$seqpar" "$@" >"$work/out" 2>"$work/err") || code=$?
    [ $code = "$want" ] || fail "$*: exit $code, not $want: $(cat "$work/err")"
    grep -q -- "$pattern" "$work/err" || fail "$*: stderr lacks '$pattern': $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "$*: stderr has not one line: $(cat "$work/err")"
}

# ---- the same input, the same bytes; alike ranks, the same times ----

predicted --sp 2,4 --csv a.csv >"$work/a"
predicted --sp 2,4 --csv b.csv >"$work/b"
[ "$(wc -l <"$work/a")" -ge 14 ] || fail "few rows: $(cat "$work/a" "$work/err")"
cmp -s "$work/a" "$work/b" || fail "not the same twice"
cmp -s "$work/a.csv" "$work/b.csv" || fail "not the same file twice"
predicted --sp 2,4 --explicit --csv c.csv >/dev/null
cmp -s "$work/a.csv" "$work/c.csv" || fail "--explicit changes rows"
grep -q '^simulated,' "$work/a.csv" || fail "rows are not marked as simulated"
column profile "$work/a.csv" | grep -qv two-boxes && fail "rows don't name the profile"

# ---- what must follow from what is asked ----

python3 - "$work/a.csv" <<'END' || fail "figures of rows"
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    time, exposed = float(row['time_ms']), float(row['exposed_ms'])
    assert time > 0 and -1e-9 <= exposed < time, row
    assert row['bound'] and row['confidence'] in ('inside', 'outside'), row
    assert (int(row['bytes_plan']) > 0) == (int(row['sp']) > 1), row
    assert (int(row['net_bytes']) > 0) == (int(row['sp']) == 4), row     # two ranks share a box
END
predicted --sp 4 --strategy ring --pass fwd --no-baseline --csv plain.csv >/dev/null
predicted --sp 4 --strategy ring --pass fwd --no-baseline --slow 2:2 --csv slow.csv >/dev/null
predicted --sp 4 --strategy ring --pass fwd --no-baseline --jitter 0.2 --csv j1.csv >/dev/null
predicted --sp 4 --strategy ring --pass fwd --no-baseline --jitter 0.2 --csv j2.csv >/dev/null
predicted --sp 4 --strategy ring --pass fwd --no-baseline --jitter 0.2 --seed 2 --csv j3.csv >/dev/null
predicted --sp 2 --strategy ring --pass fwd --no-baseline --per-node 1 --csv apart.csv >/dev/null
predicted --sp 2 --strategy ring --pass fwd --no-baseline --per-node 1 --groups 0 --csv all.csv >/dev/null
t() { column time_ms "$work/$1.csv"; }
python3 - "$(t plain)" "$(t slow)" "$(t j1)" "$(t j2)" "$(t j3)" <<'END' || fail "slow, jitter"
import sys
plain, slow, j1, j2, j3 = map(float, sys.argv[1:])
assert slow > 1.1 * plain, (plain, slow)
assert j1 == j2 and j1 != plain and j3 != j1, (plain, j1, j2, j3)
END
[ "$(column net_bytes "$work/apart.csv")" -gt 0 ] || fail "--per-node 1 stays in a box"
[ "$(column net_bytes "$work/all.csv")" = $((2 * $(column net_bytes "$work/apart.csv"))) ] ||
    fail "two groups with a rank on each box don't share the boxes"
cmp -s "$work/apart.csv" "$work/all.csv" && fail "--groups is not part of a row"

# ---- refusals ----

says 2 '--cluster FILE is needed' predict
says 3 'no-such' predict --cluster no-such --profile two-boxes.json
says 3 'no-such' predict --cluster two-boxes.cluster --profile no-such
says 2 'RANK:FACTOR' predict --cluster two-boxes.cluster --profile two-boxes.json --slow 3
says 2 '0.01' predict --cluster two-boxes.cluster --profile two-boxes.json --slow 3:0
says 2 'there is no rank 4; they are 0 to 3' predict --cluster two-boxes.cluster \
    --profile two-boxes.json --sp 2,4 --slow 4:2
says 2 'jitter' predict --cluster two-boxes.cluster --profile two-boxes.json --jitter x
says 2 '--timeline needs' show --strategy ring --sp 2 --timeline x
head -c 300 "$work/two-boxes.json" >"$work/torn.json"
says 3 'torn.json' predict --cluster two-boxes.cluster --profile torn.json
predicted --sp 8 --strategy ring >"$work/many"
grep -q 'failed: .*8' "$work/many" || fail "8 ranks on 4 endpoints: $(cat "$work/many")"

sed 's/"memory": 1e12/"memory": 1e7/' "$work/two-boxes.json" >"$work/small.json"
(cd "$work" && "$seqpar" predict --seq 8K --sp 2 --strategy ring --cluster two-boxes.cluster \
    --profile small.json >out 2>err; [ $? = 8 ]) || fail "memory of 10 MB: $(cat "$work/err")"
grep -q 'failed: out of memory: .* its device has 0.01' "$work/out" || fail "$(cat "$work/out")"

# ---- what comes with seqpar ----

shipped() { "$seqpar" predict --strategy local --sp 1 --pass fwd "$@" 2>&1 | grep -v '^#'; }
shipped --cluster hgx-h20 | grep -q ' ok' || fail "the H20 has no profile: $(shipped --cluster hgx-h20)"
shipped --cluster aws-p4d-1 --seq 2M --heads 32 | grep -q 'its device has 40.00' ||
    fail "p4d's A100 has not 40 GiB: $(shipped --cluster aws-p4d-1 --seq 2M --heads 32)"
shipped --cluster gb300-1 --seq 4M --heads 64 | grep -q ' ok' ||
    fail "the GB300 has no more memory than the B200"
printf 'machine %s topo=%s.xml\n' h "$here/topologies/dgx-h100" a "$here/topologies/dgx-a100" \
    >"$work/mixed.cluster"
printf 'nodes h1 machine=h\nnodes a1 machine=a\nfabric ib rate=200Gb/s\n' >>"$work/mixed.cluster"
says 3 'machines of mixed differ: h100-fa3 .*, a100-fa2 ' predict --cluster mixed.cluster
shipped --cluster dgx-h100-1 --dtype fp32 | grep -q 'knows no kernel for attn in fp32' ||
    fail "fp32 on tensor cores of bf16"

# ---- timelines ----

predicted --sp 2 --strategy ring --timeline t >/dev/null
python3 - "$work/t.json" <<'END' || fail "t.json is no trace"
import json, sys
bars = [e for e in json.load(open(sys.argv[1]))['traceEvents'] if e['ph'] == 'X']
assert {b['pid'] for b in bars} == {0, 1} and {b['args']['pass'] for b in bars} == {'fwd', 'bwd'}
assert any(b['name'].startswith('attn') for b in bars) and all(b['dur'] > 0 for b in bars)
END
predicted --sp 2 --strategy ring --groups 2 --timeline t2 >/dev/null
python3 - "$work/t.json" "$work/t2.json" <<'END' || fail "a timeline of two groups is not the first's"
import json, sys
one, two = ([e for e in json.load(open(f))['traceEvents'] if e['ph'] == 'X'] for f in sys.argv[1:])
assert one and one == two
END
[ -s "$work/t.dat" ] || fail "no t.dat"
[ -s "$work/t.gp" ] || fail "no t.gp"
if command -v gnuplot >/dev/null; then
    grep -q '</svg>' "$work/t.svg" || fail "no t.svg"
    evil="a';system 'touch hacked';'"
    (cd "$work" && "$seqpar" show --trace t.json --timeline "$evil" >/dev/null 2>&1)
    [ -s "$work/$evil.svg" ] || fail "no picture of that name: $evil"
    [ ! -e "$work/hacked" ] || fail "a name got into the script"
fi
says 3 'traceEvents' show --timeline x --trace two-boxes.json
head -c 500 "$work/t.json" >"$work/torn"
says 3 'torn' show --timeline x --trace torn
says 3 'no-such-folder' show --timeline no-such-folder/x --trace t.json

exit $failed
