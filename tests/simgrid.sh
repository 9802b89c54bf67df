#!/usr/bin/env bash
# simgrid.sh - our predicted times are those of SimGrid: to 1e-6, and 2 % for shift (chaotic).
# SPDX-License-Identifier: MIT
set -u
srcdir=${srcdir:-.}
ours=${SIM_CASES:-tests/bench/sim_cases}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

if ! g++ -std=c++17 -o "$work/cases" "$srcdir/tests/simgrid/cases.cpp" -lsimgrid \
    2>"$work/why"; then
    echo "skipped: no g++ and SimGrid (libsimgrid-dev): $(head -n 1 "$work/why")"
    exit 77
fi

bad=0 compared=0
compare()       # case ranks
{
    local theirs mine
    theirs=$("$work/cases" "$1" "$2" 2>/dev/null) || theirs=none
    mine=$("$ours" "$1" "$2" 0 | sed 's/.*predicted_s=\([^ ]*\).*/\1/')
    awk -v case="$1" -v ranks="$2" -v a="$theirs" -v b="${mine:-none}" 'BEGIN {
        limit = case ~ /^shift/ ? 0.02 : 1e-6
        off = a > 0 ? b / a - 1 : 1
        off = off < 0 ? -off : off
        printf "%-18s %4d  SimGrid %-18s ours %-18s off by %.1e\n", case, ranks, a, b, off
        exit off > limit
    }' </dev/null || bad=$((bad + 1))
    compared=$((compared + 1))
}

for case in ring_compbound ring_commbound ring_jitter a2a_oneshot_nb a2a_oneshot_2to1 \
    a2a_vary20_2to1 pair_xor_nb pair_xor_2to1 shift_nb; do
    for ranks in 8 16 64; do
        compare $case $ranks
    done
done
echo "$compared compared, $bad differ"
exit $((bad > 0))
