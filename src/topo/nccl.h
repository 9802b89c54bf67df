/* nccl.h - an NCCL or RCCL topology, understood: which PCI devices are GPUs, NICs and
 * switches, and what links the GPUs. import_nccl.c reads it and writes it down. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_NCCL_H
#define SP_NCCL_H

#include "topo/xml.h"

enum { SP_NCCL_CPUS = 64, SP_NCCL_DEVICES = 2000 };

enum sp_nccl_kind { SP_NCCL_OTHER, SP_NCCL_BRIDGE, SP_NCCL_GPU, SP_NCCL_NIC };

struct sp_nccl_device {
    struct sp_xml *pci;         /* NULL: a NIC that is not on PCI */
    struct sp_xml *nic;         /* NIC: or NULL, in files that leave it out */
    struct sp_xml *gpu;         /* GPU: or NULL, the same */
    enum sp_nccl_kind kind;
    int cpu;                    /* index in cpu[] */
    int number;                 /* GPU: CUDA's */
};

struct sp_nccl {
    const char *path;
    struct sp_xml *root;
    struct sp_xml *cpu[SP_NCCL_CPUS]; int ncpus;    /* by NUMA node */
    struct sp_nccl_device *device; int ndevices;    /* in order of the file */
    int *gpu; int ngpus;        /* devices, by number */
    const char **nvswitch; int nswitches;           /* bus ids, perhaps invented */

    bool xgmi;                  /* which of the two kinds of links it is */
    bool to_cpu;                /* some GPU has links to its CPU */
    long *mbps;                 /* objects x objects: GPUs, switches, CPUs */
    int objects;
};

/* NULL, or what is wrong; sp_nccl_free() it either way. */
const char *sp_nccl_read(struct sp_nccl *n, FILE *in, const char *path);
void sp_nccl_free(struct sp_nccl *n);

/* nccl_links.c: fills what is about links, once the devices are known. */
const char *sp_nccl_links(struct sp_nccl *n);

/* An attribute that is a number: decimal, or 0x for hexadecimal. NULL, or why it is not from
 * low to high; `absent` where there is none. */
const char *sp_nccl_number(const struct sp_nccl *n, const struct sp_xml *x, const char *name,
                           long low, long high, long absent, long *value);

#endif
