#!/usr/bin/env bash
# validate.sh - the verb on a small table: what it says, writes and refuses.
# SPDX-License-Identifier: MIT
set -u
seqpar=./seqpar
srcdir=${srcdir:-.}
table=$srcdir/tests/validate.csv
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain()
{
    echo "$*"
    failed=1
}

# validates CODE OPTION...: the code; what it printed is in out and err.
validates()
{
    local code=$1 got
    shift
    "$seqpar" validate "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    [ $got = "$code" ] || complain "validate $*: code $got, not $code: $(cat "$tmp/err")"
}

says() { grep -qE -- "$1" "$tmp/out" || complain "no '$1' in: $(cat "$tmp/out")"; }

refuses()
{
    local code=$1 words=$2
    shift 2
    validates "$code" "$@"
    if [ "$(wc -l <"$tmp/err")" != 1 ] || ! grep -qF -- "$words" "$tmp/err"; then
        complain "validate $*: not one line with '$words': $(cat "$tmp/err")"
    fi
}

cat >"$tmp/aliases" <<'END'
# made up
Machine X | 8 | NV* | dgx-h100-{nodes}.cluster | h100-fa3
END
number='-?[0-9]+\.[0-9]{4}'
last="^n=5 median_error=$number p95_error=$number bias=$number regret_median=$number regret_p95=$number\$"

validates 0 "$table" --aliases "$tmp/aliases" --out "$tmp/rows.csv"
[ -s "$tmp/err" ] && complain "it warns: $(cat "$tmp/err")"
tail -n 1 "$tmp/out" | grep -qE "$last" || complain "the last line is: $(tail -n 1 "$tmp/out")"
says '^  validate.csv ring +zigzag +fwd +2 '
says '^  validate.csv ulysses +contiguous +fwd +1 '
says '# left out, 3 of 8 rows:'
says '1  flagged by its notes'
says "1  pass 'train step' is more than attention"
says "1  no alias for the machine 'Machine Y', 8 GPUs per node, link 'NVLink'"
says '# 1 points are fp16, counted as bf16'
says '# not launch-bound +4 points'
says '# launch-bound +1 points'
says '^# +1 choices, regret .* over 3 pairs'
[ "$(wc -l <"$tmp/rows.csv")" = 9 ] || complain "--out has not a line for each of 8 rows"
cut -d, -f1-2,7 "$tmp/rows.csv" | grep -qx 'validate.csv,2,ring' || complain "--out has other rows"

# The same each time.
cp "$tmp/out" "$tmp/before"
validates 0 "$table" --aliases "$tmp/aliases" --out "$tmp/rows.csv"
cmp -s "$tmp/before" "$tmp/out" || complain "a second run says something else"

validates 0 "$table" --cluster dgx-h100-1.cluster --profile h100-fa3 --by hardware,seq --worst 2
says '^  Machine X +2048 +1 '
says '^  Machine Y +16384 +1 '
[ "$(grep -c '^#   validate.csv:' "$tmp/out")" = 2 ] || complain "--worst 2 lists others"

validates 0 "$table" --cluster 'dgx-h100-{nodes}.cluster' --profile h100-fa3 --by cluster
says '^  dgx-h100-1.cluster +6 '

validates 0 "$table" --aliases "$tmp/aliases" --where strategy=ring --where layout=zigzag,striped
says '# all +3 points'
says '^  validate.csv ring +zigzag +bwd +1 '

# Nothing that could be predicted.
sed '2,6d' "$table" >"$tmp/none.csv"
validates 8 "$tmp/none.csv" --aliases "$tmp/aliases"
tail -n 1 "$tmp/out" | grep -qx 'n=0 median_error=nan p95_error=nan bias=nan regret_median=nan regret_p95=nan' ||
    complain "of nothing the last line is: $(tail -n 1 "$tmp/out")"

refuses 2 'validate needs a FILE'
refuses 2 "unknown option '--speed'" --speed 9 "$table"
refuses 2 '--by: "colour" is none of file' "$table" --by colour
refuses 2 '--where: "gpus" is not NAME=LIST' "$table" --where gpus
refuses 2 '--where: "colour" is none of file' "$table" --where colour=red
refuses 2 '--worst: ' "$table" --worst many
refuses 3 'no-such.csv' "$tmp/no-such.csv"
refuses 3 'no-such.cluster' "$table" --cluster no-such.cluster
refuses 3 'no-such-profile' "$table" --profile no-such-profile
refuses 3 'no-such-aliases' "$table" --aliases "$tmp/no-such-aliases"
refuses 3 'cannot write' "$table" --aliases "$tmp/aliases" --out "$tmp/no/file.csv"
refuses 3 'not a file of seqpar validate' "$table" --aliases "$tmp/aliases" --out "$tmp/aliases"
cut -d, -f1-5 "$table" >"$tmp/narrow.csv"
refuses 3 'has no column strategy' "$tmp/narrow.csv"
head -c 700 "$table" >"$tmp/torn.csv"
refuses 3 'torn.csv' "$tmp/torn.csv"
"$seqpar" validate --help | grep -q -- --aliases || complain "--help lists no options"
exit $failed
