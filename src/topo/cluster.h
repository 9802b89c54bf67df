/* cluster.h - a cluster file, read but not built.
 *
 *      machine NAME topo=FILE.xml [nvlink=18x25|mesh:4x25|none] [nics=PATTERN] [nic_rate=R]
 *                   [smp=R] [c2c=R] [pcie=R] [nvb=yes] [gpu=MODEL] [cores=N]
 *      machine NAME ranks=N [memory=R] [nic_rate=R]             processors only
 *                   [nvlink_latency=T] [pcie_latency=T] ...
 *      nodes   HOSTLIST machine=NAME
 *      nvlink  NAME nodes=HOSTLIST links=N rate=R               across nodes
 *      fabric  NAME [rate=R] [rails=N] [nodes_per_leaf=N] [spines=N] [oversub=F] [uprate=R]
 *                   [nic=T] [switch=T] [pxn=yes|no] [planes=N] [routing=dmodk|adaptive]
 *                   [nodes=HOSTLIST]
 *      switch  NAME [tier=leaf|spine|core] [plane=N]            or cable by cable
 *      link    A B [count=N] [rate=R] [latency=T]               A: a switch, or host:nic
 *      down    A B [count=N]                                    broken cables
 *
 * One statement a line, # comments, "quoted values" if they have blanks. Rates are 400Gb/s,
 * 50GB/s or a bare number of GB/s; paths are relative to the file's folder. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CLUSTER_H
#define SP_CLUSTER_H

#include "topo/hostlist.h"
#include "topo/machine.h"
#include "topo/names.h"

struct sp_machine_line { int line; struct sp_machine_spec spec; };

struct sp_nodes_line { int line; struct sp_hosts hosts; char *machine; };

struct sp_domain_line {
    int line;
    char *name;
    struct sp_hosts nodes;
    long links;
    double rate;                /* of one link */
};

struct sp_fabric_line {
    int line;
    char *name;
    double rate, uprate, oversub, nic, sw;      /* rate: 0: the NICs' */
    long rails, nodes_per_leaf, spines, planes; /* nodes_per_leaf: 0: all; spines: -1 */
    int routing, pxn;
    struct sp_hosts nodes;      /* none: all */
};

enum { SP_ROUTING_DMODK, SP_ROUTING_ADAPTIVE };

struct sp_switch_line { int line; char *name; int tier; long plane; };

enum { SP_TIER_LEAF, SP_TIER_SPINE, SP_TIER_CORE };

struct sp_cable_line {          /* link, down */
    int line;
    char *a, *b;
    long count;                 /* down: 0: all */
    double rate, latency;       /* rate of one cable; 0: the NIC's */
};

struct sp_cluster {
    char *path, *name;
    struct sp_machine_line *machine; int nmachines;
    struct sp_nodes_line *nodes;     int nnodes;
    struct sp_domain_line *domain;   int ndomains;
    struct sp_fabric_line *fabric;   int nfabrics;
    struct sp_switch_line *sw;       int nswitches;
    struct sp_cable_line *cable;     int ncables;
    struct sp_cable_line *down;      int ndowns;
};

/* NULL: *why says what is wrong, with file and line. */
struct sp_cluster *sp_cluster_read(const char *path, const char **why);

/* The cluster that is one machine: an XML file, or "-". */
struct sp_cluster *sp_cluster_of_machine(const char *path);
void sp_cluster_free(struct sp_cluster *c);

#endif
