#!/usr/bin/env bash
# topo-dump.sh - a machine that isn't there, looked at: NVLink from a pretended driver, rates of
# NICs, and nothing of what tells whose it is.
# SPDX-License-Identifier: MIT
set -u
seqpar=$PWD/seqpar
top=$(cd "${srcdir:-.}" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "$*"; failed=1; }

# ---- a copy of /sys and /proc, as hwloc reads them; then the driver ----

# device BUSID CLASS VENDOR DEVICE [HOST BRIDGE]
device() {
    local at=$tmp/sys/devices/pci${5:-0000:00}/$1
    mkdir -p "$at" "$tmp/sys/bus/pci/devices"
    echo "$2" >"$at/class"
    echo "$3" >"$at/vendor"
    echo "$4" >"$at/device"
    echo "32.0 GT/s PCIe" >"$at/current_link_speed"
    echo 16 >"$at/current_link_width"
    ln -s "../../../devices/pci${5:-0000:00}/$1" "$tmp/sys/bus/pci/devices/$1"
}

# nic CLASS NAME BUSID: one that is up to the caller to describe.
nic() {
    local at=$tmp/sys/devices/pci0000:00/$3/$1/$2
    mkdir -p "$at" "$tmp/sys/class/$1"
    ln -s "../../devices/pci0000:00/$3/$1/$2" "$tmp/sys/class/$1/$2"
    ln -s ../.. "$at/device"
}

# port N RATE STATE: of mlx5_0
port() {
    local at=$tmp/sys/class/infiniband/mlx5_0/ports/$1
    mkdir -p "$at"
    echo "$2" >"$at/rate"
    echo "$3" >"$at/state"
    echo 0x1f >"$at/lid"
}

processor=$tmp/sys/devices/system/cpu/cpu0/topology
mkdir -p "$processor" "$tmp/proc"
echo 0 >"$tmp/sys/devices/system/cpu/online"
echo 0 >"$tmp/sys/devices/system/cpu/possible"
for file in core_cpus package_cpus; do echo 1 >"$processor/$file"; done
for file in core_id physical_package_id; do echo 0 >"$processor/$file"; done
device 0000:05:00.0 0x068000 0x10de 0x22a3
device 0000:18:00.0 0x020700 0x15b3 0x1021
device 0000:1b:00.0 0x030200 0x10de 0x2330
device 0000:43:00.0 0x030200 0x10de 0x2330
device 0000:50:00.0 0x020000 0x8086 0x1572
nic infiniband mlx5_0 0000:18:00.0
echo 0123:4567:89ab:cdef >"$tmp/sys/class/infiniband/mlx5_0/node_guid"
port 1 "400 Gb/sec (4X NDR)" "4: ACTIVE"
port 2 "10 Gb/sec (4X SDR)" "1: DOWN"
nic net enx0123456789ab 0000:50:00.0
echo 01:23:45:67:89:ab >"$tmp/sys/class/net/enx0123456789ab/address"
echo 25000 >"$tmp/sys/class/net/enx0123456789ab/speed"

${CC:-cc} -shared -fPIC -o "$tmp/libnvidia-ml.so.1" "$top/tests/topo/nvml.c" ||
    { echo "no compiler here"; exit 77; }
export HWLOC_FSROOT=$tmp HWLOC_DEBUG_VERBOSE=0

# dump PRETENDED: to $tmp/PRETENDED.xml
dump() {
    LD_LIBRARY_PATH=$tmp PRETEND=$1 "$seqpar" topo dump -o "$tmp/$1.xml" 2>"$tmp/err" ||
        complain "dump of $1: $(cat "$tmp/err")"
}

"$seqpar" topo dump 2>&1 | grep -q 'built without' && { echo "no hwloc here"; exit 77; }

# ---- links ----

# shows PRETENDED WORDS: of what is loaded from its dump
shows() {
    dump "$1"
    env -u HWLOC_FSROOT HWLOC_LIBXML=0 "$seqpar" topo show "$tmp/$1.xml" >"$tmp/out" 2>&1
    grep -qE "$2" "$tmp/out" || complain "$1: no '$2' in" "$(cat "$tmp/err" "$tmp/out")"
}

shows switch '2 GPUs \(NVIDIA H100 80GB HBM3\)'
shows switch 'gpu0 +- +nvlink 425'              # 17 of 18 links are up
shows hidden 'gpu0 +- +nvlink 425'
shows peer 'gpu0 +- +nvlink 425'
shows none 'nvlink .* device table'             # by the model, since there are NVSwitches
shows new 'nvlink .* device table'
grep -q '34 NVLinks are of a version whose rate is not known' "$tmp/err" || complain "new: no note"
dump fail
grep -q 'NVLinks are left out: NVML does not start (code 9)' "$tmp/err" || complain "fail: no note"
"$seqpar" topo dump 2>&1 >"$tmp/none.xml" | grep -q 'left out: there is no libnvidia-ml.so.1' ||
    [ -e /usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1 ] || complain "no driver: no note"

# The machine itself, without a file between.
LD_LIBRARY_PATH=$tmp PRETEND=switch "$seqpar" topo show - >"$tmp/out" 2>&1
grep -qE 'gpu0 +- +nvlink 425' "$tmp/out" || complain "-: no NVLink in" "$(cat "$tmp/out")"

# ---- NICs, and what must not be told ----

dump switch
grep -A1 'name="mlx5_0"' "$tmp/switch.xml" | grep -q 'RateMbps" value="400000"' ||
    complain "mlx5_0 has not the rate of the port that is up"
grep -A1 'name="en-unnamed"' "$tmp/switch.xml" | grep -q 'RateMbps" value="25000"' ||
    complain "Ethernet: no rate"
grep -niE '0123|4567|89ab|guid|hostname|address|serial|uuid|OSVersion' "$tmp/switch.xml" &&
    complain "the dump tells whose machine it is"
lstopo=$(command -v lstopo-no-graphics) && env -u HWLOC_FSROOT "$lstopo" --of xml \
    -i "$tmp/switch.xml" 2>&1 | grep -q NVLinkBandwidth || [ -z "$lstopo" ] ||
    complain "hwloc itself finds no matrix"
exit $failed
