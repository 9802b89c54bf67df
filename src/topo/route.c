/* route.c - the way from one endpoint to another, read from tables.
 *
 * Inside a machine: the mould's. Across nodes of one NVLink domain: through its switches.
 * Else from own NICs to own NICs, each pair a stripe; where the peer's NIC is on another rail
 * than ours, first over NVLink to the GPU whose NIC is on it (PXN). Among equally short ways
 * between switches the place of the destination's port picks one, as D-mod-k does. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <limits.h>
#include <math.h>

#include "topo/routes.h"
#include "topo/topo.h"

static void add(struct sp_route *r, int link, float share)
{
    for (int i = 0; i < r->n; i++)
        if (r->hop[i].link == link) {
            r->hop[i].share += share;
            return;
        }
    assert(r->n < SP_MAX_HOPS);
    r->hop[r->n++] = (struct sp_hop){ link, share };
}

/* A way of the mould, at its node; backwards: from its end. Returns its latency. */
static double add_way(const struct sp_topo *t, int node, const struct sp_way *w, bool backwards,
                      float share, struct sp_route *r)
{
    const struct sp_mould *m = sp_mould_of(t, node);
    const int *hop = m->hop + w->first;
    int base = t->routes->first_link[node];
    double latency = 0;
    for (int i = 0; i < w->n; i++) {
        int link = base + (backwards ? hop[w->n - 1 - i] ^ 1 : hop[i]);
        add(r, link, share);
        latency += t->link[link].latency;
    }
    return latency;
}

static const struct sp_way *between(const struct sp_topo *t, int node, int from, int to)
{
    const struct sp_mould *m = sp_mould_of(t, node);
    int first = t->node[node].first;
    return &m->between[(from - first) * m->nendpoints + (to - first)];
}

static const struct sp_way *out(const struct sp_topo *t, int node, int endpoint, int port)
{
    const struct sp_mould *m = sp_mould_of(t, node);
    return &m->out[(endpoint - t->node[node].first) * m->nnics + t->routes->port[port].nic];
}

/* ---- NVLink, and machines ---------------------------------------------------------------- */

static bool in_domain(const struct sp_topo *t, int from, int to)
{
    const int *domain = t->routes->domain;
    return domain[from] >= 0 && domain[from] == domain[to];
}

static double over_domain(const struct sp_topo *t, int from, int to, struct sp_route *r)
{
    int up = t->routes->domain_link[from], down = t->routes->domain_link[to] ^ 1;
    add(r, up, 1);
    add(r, down, 1);
    return t->link[up].latency + t->link[down].latency;
}

static double inside(const struct sp_topo *t, int from, int to, struct sp_route *r)
{
    int node = sp_topo_node_of(t, from);
    const struct sp_way *w = between(t, node, from, to);
    if (in_domain(t, from, to) && w->class != SP_PATH_NVLINK) {
        r->class = SP_PATH_NVLINK;
        return over_domain(t, from, to, r);
    }
    r->class = w->class;
    return add_way(t, node, w, false, 1, r);
}

/* ---- the network ------------------------------------------------------------------------- */

static int steps(const struct sp_topo_routes *r, int from, int to)
{
    return r->steps[(long)r->row[r->port[to].at] * r->nswitches + r->port[from].at];
}

/* The link from a switch that leads on: cables are dealt out in rounds, one of each link. */
static const struct sp_up *next_link(const struct sp_topo_routes *r, int at,
                                     const unsigned char *left, int place)
{
    const struct sp_up *first = r->up + r->up_start[at], *last = r->up + r->up_start[at + 1];
    const struct sp_up *only = NULL;
    int cables = 0, ways = 0;
    for (const struct sp_up *u = first; u < last; u++)
        if (left[u->to] + 1 == left[at]) {
            only = u;
            cables += u->cables;
            ways++;
        }
    if (ways < 2)
        return only;
    place %= cables;
    for (int round = 0;; round++)
        for (const struct sp_up *u = first; u < last; u++)
            if (left[u->to] + 1 == left[at] && u->cables > round && !place--)
                return u;
}

/* Cables and switches between two ports. */
static double over_switches(const struct sp_topo *t, int from, int to, float share,
                            struct sp_route *route)
{
    const struct sp_topo_routes *r = t->routes;
    const struct sp_port *p = &r->port[from], *q = &r->port[to];
    const unsigned char *left = r->steps + (long)r->row[q->at] * r->nswitches;
    double latency = t->link[p->link].latency + t->link[q->link ^ 1].latency;
    add(route, p->link, share);
    for (int at = p->at; at != q->at;) {
        const struct sp_up *u = next_link(r, at, left, q->place);
        add(route, u->link, share);
        latency += t->link[u->link].latency;
        at = u->to;
    }
    add(route, q->link ^ 1, share);
    return latency;
}

/* How far apart two endpoints' first ports are. */
static int apart(const struct sp_topo_routes *r, int from, int to)
{
    if (r->own_start[from] == r->own_start[from + 1] || r->own_start[to] == r->own_start[to + 1])
        return SP_UNREACHED;
    return steps(r, r->own[r->own_start[from]], r->own[r->own_start[to]]);
}

/* The endpoint of from's node that should send: from, or one over NVLink that is nearer. The
 * one with the receiver's number comes first. */
static int sender(const struct sp_topo *t, int from, int to)
{
    const struct sp_node *here = &t->node[sp_topo_node_of(t, from)];
    const struct sp_node *there = &t->node[sp_topo_node_of(t, to)];
    int best = from, least = apart(t->routes, from, to);
    for (int i = 0; i < here->endpoints && least && t->routes->pxn; i++) {
        int mate = here->first + (to - there->first + i) % here->endpoints;
        int steps = apart(t->routes, mate, to);
        if (steps >= least || mate == from)
            continue;
        if (in_domain(t, from, mate)
            || between(t, sp_topo_node_of(t, from), from, mate)->class == SP_PATH_NVLINK) {
            best = mate;
            least = steps;
        }
    }
    return best;
}

struct stripe { int from, to; };        /* ports */

/* Pairs of own ports with a way between them. */
static int pair_up(const struct sp_topo_routes *r, int from, int to, struct stripe *stripe)
{
    const int *a = r->own + r->own_start[from], *b = r->own + r->own_start[to];
    int na = r->own_start[from + 1] - r->own_start[from];
    int nb = r->own_start[to + 1] - r->own_start[to];
    int most = na > nb ? na : nb, n = 0;
    for (int k = 0; na && nb && k < most && n < r->stripes; k++)
        for (int other = 0; other < nb; other++) {
            stripe[n] = (struct stripe){ a[k % na], b[(k + other) % nb] };
            if (steps(r, stripe[n].from, stripe[n].to) != SP_UNREACHED) {
                n++;
                break;
            }
        }
    return n;
}

static bool over_network(const struct sp_topo *t, int from, int to, struct sp_route *r)
{
    struct stripe stripe[SP_MAX_HOPS];
    int there = sp_topo_node_of(t, to), here = sp_topo_node_of(t, from);
    int start = sender(t, from, to), n = pair_up(t->routes, start, to, stripe);
    double longest = 0;
    r->latency = start == from ? 0 : inside(t, from, start, r);
    r->class = SP_PATH_NET;
    for (int i = 0; i < n; i++) {
        float share = 1.0f / (float)n;
        double latency = add_way(t, here, out(t, here, start, stripe[i].from), false, share, r);
        latency += over_switches(t, stripe[i].from, stripe[i].to, share, r);
        latency += add_way(t, there, out(t, there, to, stripe[i].to), true, share, r);
        longest = latency > longest ? latency : longest;
    }
    r->latency += longest;
    return n > 0;
}

/* ---- routes ------------------------------------------------------------------------------ */

static double cap_of(const struct sp_topo *t, const struct sp_route *r)
{
    double cap = INFINITY;
    for (int i = 0; i < r->n; i++) {
        const struct sp_link *l = &t->link[r->hop[i].link];
        double rate = (l->kind == SP_LINK_NET ? l->rate / l->cables : l->rate)
            / (double)r->hop[i].share;
        cap = rate < cap ? rate : cap;
    }
    return cap;
}

bool sp_topo_find(const struct sp_topo *t, int from, int to, struct sp_route *r)
{
    r->class = SP_PATH_SELF;
    r->latency = 0;
    r->n = 0;
    r->cap = INFINITY;
    if (from == to)
        return true;
    if (sp_topo_node_of(t, from) == sp_topo_node_of(t, to)) {
        r->latency = inside(t, from, to, r);
    } else if (in_domain(t, from, to)) {
        r->class = SP_PATH_NVLINK;
        r->latency = over_domain(t, from, to, r);
    } else if (!over_network(t, from, to, r)) {
        return false;
    }
    r->cap = cap_of(t, r);
    return r->n > 0;
}

void sp_topo_route(const struct sp_topo *t, int from, int to, struct sp_route *r)
{
    bool found = sp_topo_find(t, from, to, r);
    assert(found);
    (void)found;
}

/* ---- NICs -------------------------------------------------------------------------------- */

int sp_topo_nics(const struct sp_topo *t, int endpoint, int *nic, int room)
{
    const struct sp_topo_routes *r = t->routes;
    int node = sp_topo_node_of(t, endpoint), n = 0, least = INT_MAX, last = -1;
    const struct sp_mould *m = sp_mould_of(t, node);
    const int *distance = m->distance + (long)(endpoint - t->node[node].first) * m->nnics;
    bool cabled = r->own_start[endpoint] < r->own_start[endpoint + 1];
    for (int p = r->own_start[endpoint]; p < r->own_start[endpoint + 1]; p++) {
        int k = r->port[r->own[p]].nic;
        if (k != last && n++ < room)
            nic[n - 1] = r->first_vertex[node] + m->nic[k];
        last = k;
    }
    for (int k = 0; !cabled && k < m->nnics; k++)
        least = distance[k] < least ? distance[k] : least;
    for (int k = 0; !cabled && k < m->nnics; k++)
        if (distance[k] == least && least < INT_MAX && n++ < room)
            nic[n - 1] = r->first_vertex[node] + m->nic[k];
    return n;
}
