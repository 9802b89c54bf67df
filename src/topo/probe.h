/* probe.h - this very machine as hwloc v2 XML, with what hwloc leaves out: NVLink from the
 * driver (NVML), rates of NICs from /sys. Nothing in it tells whose machine it is: serial
 * numbers, addresses and names of hosts are taken out. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PROBE_H
#define SP_PROBE_H

#include <stdio.h>

/* NULL, or why not. notes: what could not be learnt, a line each. */
const char *sp_probe_write(FILE *out, FILE *notes);

#endif
