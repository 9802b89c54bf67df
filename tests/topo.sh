#!/usr/bin/env bash
# topo.sh - seqpar topo: what it shows, what it draws, and what it refuses in a sentence.
# SPDX-License-Identifier: MIT
set -u
seqpar=$PWD/seqpar
top=$(cd "${srcdir:-.}" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# shows 'line' OPTION...: with single blanks.
shows() {
    local line=$1
    shift
    "$seqpar" topo show "$@" 2>&1 | tr -s ' ' >"$tmp/out"
    if ! grep -qF -- "$line" "$tmp/out"; then
        echo "topo show $*: no line with '$line':"
        cat "$tmp/out"
        failed=1
    fi
}

# refuses CODE 'words of the sentence' OPTION...
refuses() {
    local code=$1 words=$2 got
    shift 2
    "$seqpar" topo "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    if [ "$got" != "$code" ] || [ "$(wc -l <"$tmp/err")" != 1 ] ||
        ! grep -qF -- "$words" "$tmp/err"; then
        echo "topo $*: code $got, not $code, or not one line with '$words':"
        cat "$tmp/err"
        failed=1
    fi
}

cat >"$tmp/boxes.cluster" <<END
machine box ranks=2 memory=10GB/s nic_rate=1Gb/s
nodes   b[1-3] machine=box
fabric  eth rate=1Gb/s nic=5us switch=1us
END
cat >"$tmp/evil.cluster" <<'END'
machine "';system('touch hacked');#" ranks=1
nodes   "';`touch hacked`;a\n$(touch hacked)" machine="';system('touch hacked');#"
fabric  "eth';system('touch hacked')" rate=1
END

shows 'boxes: 3 nodes, 6 ranks' "$tmp/boxes.cluster"
shows 'net 3 0.125 1 6 cluster file' "$tmp/boxes.cluster"
shows 'cpu0 - memory 10' "$tmp/boxes.cluster"
shows 'b1/cpu0 to b3/cpu0: net, 0.125 GB/s, 11 us, over b1/numa0 b1/nic0 eth/leaf0' \
    "$tmp/boxes.cluster"
shows 'gpu0 - xgmi 64 xgmi 64' mi300x-1
shows 'smp 2 40 ' hgx-b200-2
shows 'ring 0.125 GB/s a rank; fullest is net' "$tmp/boxes.cluster"

refuses 2 "topo has no verb 'fly'" fly
refuses 2 "topo show needs a cluster file" show
refuses 2 "topo show takes one file, but got 'b' too" show a b
refuses 2 "unknown option '--fast'" show --fast "$tmp/boxes.cluster"
refuses 2 "--plot: needs a value" show "$tmp/boxes.cluster" --plot
refuses 3 "'no/file' is no file, and no cluster" show no/file
refuses 3 "--plot: cannot write no/such/plot.dat: No such file" show "$tmp/boxes.cluster" --plot no/such/plot

# Pictures: whatever things are called, nothing but the three files comes of it.
cd "$tmp" || exit 99
if command -v gnuplot >/dev/null; then
    for prefix in plot "p'lot" '|touch hacked;'; do
        for file in boxes evil; do
            "$seqpar" topo show $file.cluster --plot "$prefix$file" >out 2>&1
            if ! grep -q '</svg>' "$prefix$file.svg"; then
                echo "topo show --plot $prefix$file: no picture"
                cat out
                failed=1
            fi
        done
    done
    ! grep -q 'eth' plotevil.gp || failed=1
else
    echo "no gnuplot: pictures are not tested"
fi
[ ! -e hacked ] || { echo "a name was executed"; failed=1; }

# Machines that come with seqpar, read by hwloc's own small parser, too: no comments in them.
for file in "$top"/topologies/*.xml; do
    if [ ! -e "$file" ] || "$seqpar" topo show "$file" 2>&1 | grep -q 'needs hwloc'; then
        continue
    fi
    for library in 0 1; do
        if ! HWLOC_LIBXML=$library "$seqpar" topo show "$file" >out 2>&1 &&
            ! grep -q 'a cluster file: nvlink=' out; then
            echo "topo show $file, HWLOC_LIBXML=$library:"
            cat out
            failed=1
        fi
    done
done
exit $failed
