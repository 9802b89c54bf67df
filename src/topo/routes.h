/* routes.h - the tables that routes are read from, and who fills them. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ROUTES_H
#define SP_ROUTES_H

#include "topo/cluster.h"
#include "topo/machine.h"
#include "topo/topo.h"

/* A link from a switch to another: what routing asks of it, close together. */
struct sp_up { int link, to, cables; };

/* A NIC's end of a cable. */
struct sp_port {
    int nic;                    /* of the node's NICs */
    int link;                   /* from the NIC to the switch */
    int at;                     /* the switch, from first_switch */
    int place;                  /* among the switch's ports: picks the way to it */
};

enum { SP_UNREACHED = 255 };

struct sp_topo_routes {
    struct sp_mould **mould;    /* by machine */
    int *first_vertex, *first_link;     /* by node */
    int *domain, *domain_link;  /* by endpoint: NVLink across nodes, and the link into it; -1 */
    struct sp_port *port; int nports;
    int *own_start, *own;       /* by endpoint: ports of the NICs that are its own */
    int first_switch, nswitches;        /* vertices */
    int *up_start;              /* by switch: its part of up[] */
    struct sp_up *up;
    int *row;                   /* by switch: of steps; -1: it has no ports */
    unsigned char *steps;       /* [row][switch]: links from the switch to the row's */
    bool pxn;
    int stripes;                /* at most, so that they fit a route */
};

static inline const struct sp_mould *sp_mould_of(const struct sp_topo *t, int node)
{
    return t->routes->mould[t->node[node].machine];
}

/* False: there is no way. */
bool sp_topo_find(const struct sp_topo *t, int from, int to, struct sp_route *r);

/* ---- for its makers ------------------------------------------------------------------ */

/* Parallel cables between two vertices, from < to. */
struct sp_cable {
    int from, to, count, line;
    double rate;                /* of all */
    double there, back;         /* latencies */
};

struct sp_builder {
    const struct sp_cluster *c;
    struct sp_topo *t;
    struct sp_names node, sw;   /* numbers of nodes; vertices of switches */
    struct sp_cable *cable; int ncables;
};

/* All of these return NULL, or why not; with file and line. */
const char *sp_build_network(struct sp_builder *b);     /* switches, cables, ports */
const char *sp_build_fabric(struct sp_builder *b, const struct sp_fabric_line *f);
const char *sp_build_routes(struct sp_builder *b);      /* tables; whether all are reached */

int sp_build_vertex(struct sp_topo *t, enum sp_vertex_kind kind, int node, const char *name);
int sp_build_link(struct sp_topo *t, const struct sp_link *l, double back);
const char *sp_build_cable(struct sp_builder *b, struct sp_cable cable);
const char *sp_build_switch(struct sp_builder *b, int tier, const char *name, int line,
                            int *vertex);

#endif
