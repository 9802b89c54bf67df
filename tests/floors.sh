#!/usr/bin/env bash
# floors.sh - a file includes only its own floor and lower ones.
# SPDX-License-Identifier: MIT
set -u
cd "${srcdir:-.}" || exit 99

floors='
src/util        0
src/plan        1
src/topo        1
kernels         1
src/strategy    2
src/transport   2
src/executor    3
src/sim         3
src/measure     4
src/report      5
src/cli         6
'

# What must not meet, whatever the floors: who, what.
apart='
src/plan/           <(mpi|cuda|nccl|hwloc)
src/plan/           "topo/
src/strategy/       <(mpi|cuda|nccl|hwloc)
src/strategy/       "topo/
src/sim/            "executor/real
src/executor/real   "sim/
'

# The files, each with the number of a line and what it includes, brackets or quotes kept.
includes()
{
    find src kernels -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' | sort |
        xargs grep -noE '^ *# *include *[<"][^>"]+[>"]' |
        sed 's/# *include *//; s/: */:/g'
}

includes | awk -F: -v floors="$floors" -v apart="$apart" '
    function floor_of(path,   best, folder) {
        best = ""
        for (folder in floor)
            if (index(path, folder "/") == 1 && length(folder) > length(best))
                best = folder
        return best == "" ? -1 : floor[best]
    }
    function complain(what) { print $1 ":" $2 ": " what; bad++ }
    BEGIN {
        n = split(floors, word, " ")
        for (i = 1; i < n; i += 2)
            floor[word[i]] = word[i + 1]
        napart = split(apart, pair, " ")
    }
    {
        for (i = 1; i < napart; i += 2)
            if (index($1, pair[i]) == 1 && $3 ~ "^" pair[i + 1])
                complain($3 " must not be known here")
        if ($3 !~ /^"/ || $3 ~ /^"(config|commit|devices_table)\.h"$/)
            next
        path = substr($3, 2, length($3) - 2)
        to = path ~ /^kernels\// ? floor_of(path) : floor_of("src/" path)
        from = floor_of($1)
        if (from < 0)
            complain("no floor")
        else if (to < 0)
            complain($3 " is on no floor: begin with its folder")
        else if (to > from)
            complain($3 " is on floor " to ", above this file on " from)
        lines++
    }
    END {
        print lines " includes, " bad + 0 " against the floors"
        exit bad > 0 || !lines
    }'
