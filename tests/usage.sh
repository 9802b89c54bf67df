#!/usr/bin/env bash
# usage.sh - bad input gets one sentence on stderr that names the value, and the right code.
# SPDX-License-Identifier: MIT
set -u
seqpar=./seqpar
models=${srcdir:-.}/models
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# refuses CODE 'words of the sentence' OPTION...
refuses() {
    local code=$1 words=$2
    shift 2
    "$seqpar" "$@" >"$tmp/out" 2>"$tmp/err"
    local got=$? lines
    lines=$(wc -l <"$tmp/err")
    if [ "$got" != "$code" ] || [ "$lines" != 1 ] || ! grep -qF -- "$words" "$tmp/err"; then
        echo "seqpar $*: code $got, not $code, or not one line with '$words':"
        cat "$tmp/err"
        failed=1
    fi
}

head -c 60 "$models/llama-3.1-8b.json" >"$tmp/half.json"
echo '{"hidden_size": 4096}' >"$tmp/none.json"

refuses 2 "no verb 'fly'" fly
refuses 2 "unexpected argument 'ring'" run ring
refuses 2 "--seq: 0 must be from 1" check --seq 0
refuses 2 "--seq: \"1X\" is not a whole number" check --seq 1X
refuses 2 "--heads: 0 must be" check --heads 0
refuses 2 "kv-heads 3 must divide heads 8" check --heads 8 --kv-heads 3
refuses 2 "--strategy: 'star' is none of local, ring" check --strategy star
refuses 2 "--mask:" check --mask diagonal
refuses 2 "--layout:" check --layout spiral
refuses 2 "--dtype:" check --dtype fp8
refuses 2 "--pass:" check --pass sideways
refuses 2 "ring has no knob 'speed'; it has bwd" check --strategy ring --set ring.speed=1
refuses 2 "ring.buffers '1' must be a number from 2" check --strategy ring --set ring.buffers=1
refuses 2 "ring.bwd 'up' must be rev or home" check --strategy ring --set ring.bwd=up
refuses 2 "is not STRATEGY.KNOB=VALUE" check --strategy ring --set buffers
refuses 2 "sp 3 must divide heads 32; nearest: 2, 4" show --strategy ulysses --sp 3 --heads 32
refuses 2 "nearest: 96, 102" show --strategy ring --sp 3 --seq 100
refuses 2 "--format: 'svg' is none of text, dot, goal" show --strategy ring --format svg
refuses 2 "--sp 4 is more than the 1 rank that was launched" run --sp 4
refuses 2 "--time 0.5 s is too short to measure anything; at least 1 s" calibrate --time 500ms
refuses 2 "--time: \"soon\" is not a time" calibrate --time soon
refuses 3 "cannot write $tmp/no/profile.json.new" calibrate --out "$tmp/no/profile.json"
echo "something else" >"$tmp/letter.json"
refuses 3 "letter.json is there and is no profile" calibrate --out "$tmp/letter.json"
refuses 3 "--kernels: " calibrate --kernels fastest --out "$tmp/p.json"
refuses 2 "--model: " run --model "$tmp/half.json"
refuses 2 "half.json" run --model "$tmp/half.json"
refuses 2 "num_attention_heads" run --model "$tmp/none.json"
refuses 2 "no-such.json" run --model "$tmp/no-such.json"
refuses 2 "--resume needs --jsonl" run --resume
refuses 2 "--transport: 'pigeon' is none of self" run --transport pigeon
refuses 3 "--kernels: " run --kernels fastest
refuses 3 "$tmp/no/file" run --jsonl "$tmp/no/file" --seq 64
echo "something else" >"$tmp/foreign.jsonl"
refuses 3 "foreign.jsonl" run --jsonl "$tmp/foreign.jsonl" --seq 64

# Every point refused: 2, with the reason in the table; some: 0.
"$seqpar" check --strategy ulysses --sp 3 --heads 32 >"$tmp/out" 2>"$tmp/err"
code=$?
if [ $code != 2 ] || ! grep -q "nearest: 2, 4" "$tmp/out"; then
    echo "all refused is $code, not 2, or has no reason"
    failed=1
fi
"$seqpar" check --strategy ulysses --sp 2,3 --heads 32 >"$tmp/out" 2>"$tmp/err" ||
    { echo "some refused is not 0"; failed=1; }
for verb in run check show; do
    if ! "$seqpar" $verb --help >"$tmp/out" 2>"$tmp/err" || [ -s "$tmp/err" ] ||
        ! grep -q -- "--strategy" "$tmp/out"; then
        echo "$verb --help"
        failed=1
    fi
done
exit $failed
