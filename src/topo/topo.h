/* topo.h - machines and the network between them: vertices, directed links, routes.
 *
 *      gpu == nvswitch                         NVLink, xGMI: between GPUs
 *       |                                      C2C: GPU and its own CPU
 *      psw --- nic --- leaf --- spine ...      PCIe; cables of the network
 *       |
 *      numa === numa                           links between sockets
 *
 * Rates are nominal: bytes/s of one direction, decimal. What can be had of them is the
 * profile's to say (sim/profile.h). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOPO_H
#define SP_TOPO_H

#include <stdbool.h>
#include <stdio.h>

enum sp_vertex_kind {
    SP_GPU, SP_CPU,             /* endpoints: ranks run on them (CPU: where there are no GPUs) */
    SP_NVSWITCH, SP_PCISWITCH, SP_NUMA, SP_NIC, SP_LEAF, SP_SPINE, SP_NVERTEX_KINDS
};

enum sp_link_kind {
    SP_LINK_NVLINK, SP_LINK_XGMI, SP_LINK_C2C, SP_LINK_PCIE,
    SP_LINK_SMP,                /* between sockets, or NUMA nodes */
    SP_LINK_MEMORY,             /* a CPU rank and the memory of its NUMA node */
    SP_LINK_NET, SP_NLINK_KINDS
};

/* What a message crosses, at worst: profiles have a curve for each. */
enum sp_path_class {
    SP_PATH_SELF,               /* stays on its endpoint */
    SP_PATH_NVLINK,             /* NVLink or xGMI only */
    SP_PATH_PCIE,               /* PCIe, through switches only */
    SP_PATH_HOST,               /* PCIe, through a CPU or between sockets */
    SP_PATH_MEMORY,             /* memory shared by CPU ranks of one machine */
    SP_PATH_NET,                /* between machines */
    SP_NPATH_CLASSES
};

extern const char *const sp_vertex_names[], *const sp_link_names[], *const sp_path_names[];

struct sp_vertex { enum sp_vertex_kind kind; int node; char *name; };   /* node: -1, a switch */

struct sp_link {
    enum sp_link_kind kind;
    int from, to;               /* vertices */
    int cables;                 /* parallel ones; a flow of the network gets one of them */
    double rate;                /* of all cables */
    double latency;             /* seconds */
    const char *source;         /* where the rate comes from: "cluster file", "hwloc", ... */
};

/* A machine of the cluster. */
struct sp_node { char *name; int machine; int first, endpoints; };  /* first: of endpoint[] */

struct sp_machine {             /* what several nodes are one of */
    char *name;                 /* as the cluster file calls it */
    char *gpu;                  /* model: "NVIDIA H100 80GB HBM3"; "" if there are none */
    char *cpu;
    int gpus, processors;       /* per node; processors: cores */
    double memory;              /* bytes of the GPU that has least; 0: not known */
};

struct sp_topo {
    char *name;                 /* of the cluster: its file, or machine */
    struct sp_vertex *vertex;   int nvertices;
    struct sp_link *link;       int nlinks;         /* i and i ^ 1 are the two directions */
    struct sp_node *node;       int nnodes;
    struct sp_machine *machine; int nmachines;
    int *endpoint;              int nendpoints;     /* vertices; nodes in order, GPUs in order */
    struct sp_topo_routes *routes;                  /* tables of route.c */
};

/* A cluster file, or one machine's hwloc v2 XML (a cluster of one node). "-" is this very
 * machine, probed. NULL: *why says what is wrong, with file and line. */
struct sp_topo *sp_topo_load(const char *path, const char **why);
void sp_topo_free(struct sp_topo *t);

static inline int sp_topo_node_of(const struct sp_topo *t, int endpoint)
{
    return t->vertex[t->endpoint[endpoint]].node;
}

/* ---- routes -------------------------------------------------------------------------- */

/* A link on the way, and the part of the bytes that crosses it: below 1 where a message is
 * striped over several NICs, or cables. */
struct sp_hop { int link; float share; };

enum { SP_MAX_HOPS = 64 };

struct sp_route {
    enum sp_path_class class;
    double latency;             /* seconds: the sum over links */
    double cap;                 /* bytes/s that one message can reach, by nominal rates */
    int n;
    struct sp_hop hop[SP_MAX_HOPS];
};

/* The way from one endpoint to another; the same every time. O(hops). */
void sp_topo_route(const struct sp_topo *t, int from, int to, struct sp_route *r);

/* The NICs that an endpoint's messages leave by, or where there is no network the nearest
 * ones: at most `room` vertices. How many there are. */
int sp_topo_nics(const struct sp_topo *t, int endpoint, int *nic, int room);

#endif
