#!/usr/bin/env bash
# topologies.sh - the files of topologies/ are what the generator there writes.
# SPDX-License-Identifier: MIT
set -u
topologies=${srcdir:-.}/topologies
command -v python3 >/dev/null || { echo "no python3 here"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "$*"; failed=1; }

"$topologies/generate" "$tmp" || exit 1
for file in "$topologies"/*.xml "$topologies"/*.cluster; do
    name=$(basename "$file")
    [ -e "$tmp/$name" ] || complain "$name is not written by the generator"
done
for file in "$tmp"/*; do
    name=$(basename "$file")
    cmp -s "$file" "$topologies/$name" || complain "$name differs: run topologies/generate"
    name=${name%%.*}
    [[ $name =~ ^(.*)-[0-9]+$ ]] && name=${BASH_REMATCH[1]}
    grep -q "$name" "$topologies/README.md" || complain "README.md does not tell of $name"
done

# Whatever the table of published machines names is there, for some number of nodes.
while IFS='|' read -r hardware _ _ topology profile; do
    topology=${topology// /} profile=${profile// /}
    found=
    for file in "$topologies"/${topology/\{nodes\}/*}; do
        [ -e "$file" ] && found=yes
    done
    [ "$found" ] || complain "aliases: $hardware: there is no $topology"
    [ ! -d "$topologies/profiles" ] || [ -e "$topologies/profiles/$profile.json" ] ||
        complain "aliases: $hardware: there is no profile $profile"
done < <(grep -v '^#' "$topologies/aliases" | grep '|')
exit $failed
