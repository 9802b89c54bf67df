/* machine.h - a mould of nodes: one machine's vertices, links and ways between them.
 *
 * Made from an inventory (hwloc) and what the cluster file says of the machine. Nodes are
 * casts of it: their vertices and links are the mould's, counted from a base. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_MACHINE_H
#define SP_MACHINE_H

#include "topo/inventory.h"
#include "topo/topo.h"

enum { SP_MAX_LOCAL_ENDPOINTS = 512 };

/* A `machine` line. NULL, 0: not given. */
struct sp_machine_spec {
    char *name;
    char *topo;                 /* path; "-": this very machine */
    char *nvlink;               /* 18x25, mesh:4x25, none */
    char *nics, *gpu;           /* names of NICs to use, a pattern; model */
    double nic_rate, smp, c2c, memory, pcie;
    double latency[SP_NLINK_KINDS];
    long ranks, cores;
    int nvb;                    /* GPUs without a link go over one between them */
};

struct sp_way {
    enum sp_path_class class;
    int first, n;               /* of hop[] */
};

struct sp_mould {
    char *name, *gpu, *cpu;
    int gpus, processors;
    double memory;              /* bytes of the GPU that has least; 0: not known */
    struct sp_vertex *vertex; int nvertices;
    struct sp_link *link; int nlinks;           /* i and i ^ 1 are the two directions */
    int *endpoint; int nendpoints;              /* vertices */
    int *nic; double *nic_rate; int nnics;      /* vertices; 0: not known */
    int *hop; int nhops;                        /* links, of all ways */
    struct sp_way *between;     /* nendpoints x nendpoints */
    struct sp_way *out;         /* nendpoints x nnics: to each NIC */
    int *distance;              /* nendpoints x nnics */
    char *missing;              /* GPUs have no links, but their model has: the sentence */
    bool linked;                /* GPUs have links of their own */
};

struct sp_mould *sp_mould_new(const struct sp_machine_spec *spec, const char **why);
void sp_mould_free(struct sp_mould *m);

/* ---- for its makers ------------------------------------------------------------------ */

int sp_mould_vertex(struct sp_mould *m, enum sp_vertex_kind kind, const char *name);
void sp_mould_link(struct sp_mould *m, const struct sp_machine_spec *spec,
                   enum sp_link_kind kind, int from, int to, double rate, const char *source);

/* Links between GPUs; gpu[]: devices in the order of endpoints. NULL, or why not. */
const char *sp_mould_connect(struct sp_mould *m, const struct sp_machine_spec *spec,
                             const struct sp_inventory *v, const int *gpu, const int *numa);

/* Fills in ways and distances. */
void sp_mould_ways(struct sp_mould *m, bool nvb);

#endif
