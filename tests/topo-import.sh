#!/usr/bin/env bash
# topo-import.sh - seqpar topo import and dump, as a user calls them.
# SPDX-License-Identifier: MIT
set -u
seqpar=./seqpar
top=$(cd "${srcdir:-.}" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "$*"; failed=1; }

# refuses CODE 'words of the sentence' ARGUMENT...
refuses() {
    local code=$1 words=$2 got
    shift 2
    "$seqpar" topo "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    if [ "$got" != "$code" ] || [ "$(grep -c '^seqpar: ' "$tmp/err")" != 1 ] ||
        ! grep -qF -- "$words" "$tmp/err" || [ -s "$tmp/out" ]; then
        complain "topo $*: code $got, not $code, or not one sentence with '$words':" \
            "$(cat "$tmp/err")"
    fi
}

refuses 2 "a format and a file are needed" import
refuses 2 "a format and a file are needed" import nccl
refuses 2 "'dot' is none of nccl, slurm, ibnetdiscover" import dot x
refuses 2 "no option --fly" import nccl --fly
refuses 2 "-o needs a value" import nccl x -o
refuses 2 "unexpected argument 'y'" import nccl x y
refuses 2 "--machine is needed" import slurm "$top/tests/topo/tree.conf"
refuses 2 "FILE.xml or FILE.xml@HOSTS" import slurm x --machine @n1
refuses 2 "unexpected argument 'x'" dump x
refuses 3 "cannot read $tmp/none" import nccl "$tmp/none"
refuses 3 "tree.conf" import nccl "$top/tests/topo/tree.conf"

ib=$top/tests/topo/two-leaves.ib
"$seqpar" topo import ibnetdiscover "$ib" --machine "box.xml@n[01-02]" -o "$tmp/ib" 2>"$tmp/err" ||
    complain "ibnetdiscover: $(cat "$tmp/err")"
cmp "$tmp/ib" "$top/tests/topo/two-leaves.cluster" || complain "ibnetdiscover: not as golden"
"$seqpar" topo import ibnetdiscover - --machine "box.xml@n[01-02]" <"$ib" 2>"$tmp/err" |
    tail -n +2 | cmp - <(tail -n +2 "$tmp/ib") || complain "stdin: not as the file"
refuses 3 "cannot write $tmp/no/out" import ibnetdiscover "$ib" --machine "box.xml@n[01-02]" \
    -o "$tmp/no/out"
refuses 3 "is not a rate" import slurm "$top/tests/topo/tree.conf" --rate fast \
    --machine "$top/topologies/box-2.xml"

# What can't be imported leaves no file behind.
"$seqpar" topo import slurm "$ib" --machine box.xml -o "$tmp/left" 2>/dev/null
[ -e "$tmp/left" ] && complain "a refused file left $tmp/left"

if "$seqpar" topo dump -o "$tmp/this.xml" 2>"$tmp/err"; then
    grep -q '<topology version="2' "$tmp/this.xml" || complain "dump: no hwloc v2 XML"
    host=$(uname -n)
    [ ${#host} -gt 7 ] && grep -qF "$host" "$tmp/this.xml" && complain "dump: the host's name"
    grep -qiE 'serial|uuid|guid|hostname|[0-9a-f]{2}(:[0-9a-f]{2}){5}' "$tmp/this.xml" &&
        complain "dump: it tells whose machine it is"
else
    grep -q 'built without' "$tmp/err" || complain "dump: $(cat "$tmp/err")"
fi
exit $failed
