#!/usr/bin/env bash
# sim.sh - the simulator's cases with what they may cost, and what they do: make bench-sim
#
# CPU seconds, user and system, of the whole process; the median of $ROUNDS. Other
# programs disturb it. off: how far predicted is from what SimGrid says (eps: from exact).
# SPDX-License-Identifier: MIT
set -u
ours=${SIM_CASES:-tests/bench/sim_cases}
rounds=${ROUNDS:-5}

# case, ranks, options (- for none), bar in CPU s (- for none), known ms (- for none)
rows='
ring_commbound      64 -           -      42.794
ring_commbound     256 -           -      172.603
ring_commbound    1024 -           0.20   691.839
ring_commbound    1024 collapse=1  0.02   691.839
ring_commbound   16384 collapse=1  0.02   11076.6
ring_compbound    1024 -           -      1024
ring_jitter       1024 -           -      798.72
a2a_oneshot_nb      64 -           -      1.179405
a2a_oneshot_nb     256 -           -      1.305234
a2a_oneshot_nb    1024 -           -      1.336692
a2a_oneshot_2to1    64 -           -      1.347177
a2a_oneshot_2to1   256 -           -      2.353810
a2a_oneshot_2to1  1024 -           0.5    2.605468
a2a_oneshot_2to1  1024 collapse=1  0.001  2.605468
a2a_oneshot_2to1 16384 collapse=1  -      2.684112
a2a_vary20_2to1     64 -           -      1.357783
a2a_vary20_2to1    128 -           3      2.025051
a2a_vary20_2to1    128 eps=1e-6    -      2.025051
a2a_vary20_2to1    256 -           -      2.361610
a2a_vary20_2to1    256 eps=1e-6    1.1    2.361610
pair_xor_nb         64 -           -      1.477716
pair_xor_nb        256 -           -      2.551312
pair_xor_nb       1024 -           -      6.419711
pair_xor_2to1       64 -           -      2.148805
pair_xor_2to1      256 -           -      3.725717
pair_xor_2to1     1024 -           -      7.719945
shift_nb            64 -           -      4.3715
shift_nb           256 -           -      4.14
shift_nb          1024 -           -      6.77
'

printf '%-16s %5s %-10s  %13s %9s  %8s %6s  %6s\n' case P options 'predicted ms' off \
    'CPU s' bar MiB
while read -r case ranks options bar known; do
    [ -n "$case" ] || continue
    given=()
    [ "$options" = - ] || given=("$options")
    for ((i = 0; i < rounds; i++)); do
        "$ours" "$case" "$ranks" 0 "${given[@]}" || exit 1
    done | sed 's/[a-zA-Z_]*=//g' | sort -g -k 4 | awk -v options="$options" -v bar="$bar" \
        -v known="$known" -v middle=$(((rounds + 1) / 2)) 'NR == middle {
            printf "%-16s %5d %-10s  %13.9g %9.1e  %8.4f %6s  %6.1f\n", $1, $2, options,
                1e3 * $3, 1e3 * $3 / known - 1, $4, bar, $5
        }'
done <<<"$rows"
