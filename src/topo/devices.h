/* devices.h - the table topologies/devices, which is built in. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_DEVICES_H
#define SP_DEVICES_H

#include <stdbool.h>

struct sp_known_device {
    char links[32];             /* GPU: "18x25", as nvlink= of a cluster file; else "" */
    double rate;                /* NIC: bytes/s; else 0 */
    char name[64];
};

/* "gpu" or "nic" of these PCI ids; false: not in the table. */
bool sp_device_find(const char *kind, unsigned vendor, unsigned device,
                    struct sp_known_device *known);

/* Between sockets of that processor; false: the default for processors not in the table. */
bool sp_device_smp(const char *cpu, double *rate);

/* "smp", "package": between NUMA nodes of one; "memory": of one CPU rank; "pcie":
 * of NICs without known rates. */
double sp_device_default(const char *kind);

#endif
