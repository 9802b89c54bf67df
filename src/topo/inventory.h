/* inventory.h - what hwloc tells of a machine, as facts: no rules are applied yet. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_INVENTORY_H
#define SP_INVENTORY_H

#include <stdbool.h>

enum sp_device_kind { SP_DEVICE_BRIDGE, SP_DEVICE_GPU, SP_DEVICE_NIC, SP_DEVICE_NVSWITCH };

/* A PCI device, after the bridges above it. */
struct sp_device {
    enum sp_device_kind kind;
    int parent;                 /* a bridge; -1: a host bridge of `numa` is above */
    int numa;                   /* index in numa[] */
    int depth;                  /* bridges: 1 is a root port, 2 a switch's upper port, ... */
    unsigned vendor, device;
    char bus[32];               /* 0000:1b:00.0 */
    double speed;               /* of its link, bytes/s; 0: not known */
    char *names;                /* of the system, "mlx5_0,ib0"; the one to call it by first */
    char *model;                /* GPU; "" if not known */
    double memory;              /* GPU, bytes; 0: not known */
    int order;                  /* GPU: CUDA's, or the system's, number; -1: none */
    bool fast;                  /* NIC: InfiniBand and its like, not Ethernet's */
    double rate;                /* NIC, bytes/s; 0: not known */
};

/* A link between two devices that is not PCIe. to: a device, or -1 - an index in numa[]. */
struct sp_pair { int from, to; double rate; bool xgmi; };

struct sp_inventory {
    char *cpu;                  /* model; "" if not known */
    int cores;
    int *core;                  /* cores: index in numa[] */
    int *numa; int nnuma;       /* the package of each NUMA node that has cores */
    struct sp_device *device; int ndevices;
    struct sp_pair *pair; int npairs;
};

/* An hwloc XML file, or this machine if path is NULL. NULL: *why says what is wrong. */
struct sp_inventory *sp_inventory_read(const char *path, const char **why);
void sp_inventory_free(struct sp_inventory *v);

#endif
