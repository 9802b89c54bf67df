/* machine_ways.c - the way between any two endpoints of a machine, and to its NICs.
 *
 * The cheapest by kinds of links, with no endpoint or NIC in between (Dijkstra). */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>

#include "topo/machine.h"
#include "util/memory.h"

static const int weight[SP_NLINK_KINDS] = {
    [SP_LINK_NVLINK] = 1, [SP_LINK_XGMI] = 1, [SP_LINK_MEMORY] = 1, [SP_LINK_C2C] = 2,
    [SP_LINK_PCIE] = 4, [SP_LINK_SMP] = 24,
};

struct search {
    struct sp_mould *m;
    int *start, *by;            /* links by vertex that they leave: by[start[v]..start[v + 1]] */
    int *cost, *last;           /* to reach a vertex, and the link that does */
    bool *done;
};

static void index_links(struct search *s)
{
    const struct sp_mould *m = s->m;
    s->start = sp_alloc(((size_t)m->nvertices + 2) * sizeof *s->start);
    s->by = sp_alloc((size_t)m->nlinks * sizeof *s->by);
    for (int i = 0; i < m->nlinks; i++)
        s->start[m->link[i].from + 2]++;
    for (int v = 0; v < m->nvertices; v++)
        s->start[v + 2] += s->start[v + 1];
    for (int i = 0; i < m->nlinks; i++)
        s->by[s->start[m->link[i].from + 1]++] = i;
}

static bool passable(const struct sp_mould *m, int vertex)
{
    enum sp_vertex_kind kind = m->vertex[vertex].kind;
    return kind != SP_GPU && kind != SP_CPU && kind != SP_NIC;
}

/* Costs from a vertex. As many rounds as vertices: machines are small. */
static void search(struct search *s, int from)
{
    const struct sp_mould *m = s->m;
    for (int v = 0; v < m->nvertices; v++) {
        s->cost[v] = INT_MAX;
        s->last[v] = -1;
        s->done[v] = false;
    }
    s->cost[from] = 0;
    for (;;) {
        int at = -1;
        for (int v = 0; v < m->nvertices; v++)
            if (!s->done[v] && s->cost[v] < INT_MAX && (at < 0 || s->cost[v] < s->cost[at]))
                at = v;
        if (at < 0)
            return;
        s->done[at] = true;
        for (int k = s->start[at]; (at == from || passable(m, at)) && k < s->start[at + 1]; k++) {
            const struct sp_link *l = &m->link[s->by[k]];
            if (s->cost[at] + weight[l->kind] < s->cost[l->to]) {
                s->cost[l->to] = s->cost[at] + weight[l->kind];
                s->last[l->to] = s->by[k];
            }
        }
    }
}

static enum sp_path_class class_of(const struct sp_mould *m, const struct sp_way *w)
{
    bool nvlink = true, host = false, memory = false;
    for (int i = 0; i < w->n; i++) {
        const struct sp_link *l = &m->link[m->hop[w->first + i]];
        nvlink &= l->kind == SP_LINK_NVLINK || l->kind == SP_LINK_XGMI;
        memory |= l->kind == SP_LINK_MEMORY;
        host |= m->vertex[l->to].kind == SP_NUMA;
    }
    return memory ? SP_PATH_MEMORY : host ? SP_PATH_HOST : nvlink ? SP_PATH_NVLINK
                                                                  : SP_PATH_PCIE;
}

static void add_hop(struct sp_mould *m, int link)
{
    m->hop = sp_grow(m->hop, m->nhops, sizeof *m->hop);
    m->hop[m->nhops++] = link;
}

/* The way that the search found; n = 0: none. */
static struct sp_way way_to(struct search *s, int vertex)
{
    struct sp_mould *m = s->m;
    struct sp_way w = { .first = m->nhops };
    for (int v = vertex; s->last[v] >= 0; v = m->link[s->last[v]].from)
        add_hop(m, s->last[v]);
    w.n = m->nhops - w.first;
    for (int i = 0; i < w.n / 2; i++) {
        int *a = &m->hop[w.first + i], *b = &m->hop[m->nhops - 1 - i], keep = *a;
        *a = *b;
        *b = keep;
    }
    w.class = class_of(m, &w);
    return w;
}

/* GPUs that are not linked, over one that both are linked with: the fastest, and those that
 * are as fast in turns. */
static void over_peers(struct sp_mould *m)
{
    int n = m->nendpoints;
    int *direct = sp_alloc((size_t)n * (size_t)n * sizeof *direct);     /* link + 1 */
    for (int i = 0; i < n * n; i++)
        if (m->between[i].n == 1 && m->between[i].class == SP_PATH_NVLINK)
            direct[i] = m->hop[m->between[i].first] + 1;
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++) {
            int best = -1;
            double rate = 0;
            for (int k = 0; k < n && a != b; k++) {
                int via = (a + b + k) % n, in = direct[a * n + via], out = direct[via * n + b];
                double r = in && out ? m->link[in - 1].rate : 0;
                r = r && m->link[out - 1].rate < r ? m->link[out - 1].rate : r;
                if (r > rate) {
                    rate = r;
                    best = via;
                }
            }
            if (best < 0 || m->between[a * n + b].class == SP_PATH_NVLINK)
                continue;
            m->between[a * n + b] = (struct sp_way){ SP_PATH_NVLINK, m->nhops, 2 };
            add_hop(m, direct[a * n + best] - 1);
            add_hop(m, direct[best * n + b] - 1);
        }
    free(direct);
}

void sp_mould_ways(struct sp_mould *m, bool nvb)
{
    struct search s = { .m = m };
    size_t v = (size_t)m->nvertices, e = (size_t)m->nendpoints, k = (size_t)m->nnics;
    index_links(&s);
    s.cost = sp_alloc(v * sizeof *s.cost);
    s.last = sp_alloc(v * sizeof *s.last);
    s.done = sp_alloc(v * sizeof *s.done);
    m->between = sp_alloc(e * e * sizeof *m->between);
    m->out = sp_alloc(e * k * sizeof *m->out);
    m->distance = sp_alloc(e * k * sizeof *m->distance);
    for (int i = 0; i < m->nendpoints; i++) {
        search(&s, m->endpoint[i]);
        for (int j = 0; j < m->nendpoints; j++)
            m->between[i * m->nendpoints + j] = way_to(&s, m->endpoint[j]);
        for (int j = 0; j < m->nnics; j++) {
            m->out[i * m->nnics + j] = way_to(&s, m->nic[j]);
            m->distance[i * m->nnics + j] = s.cost[m->nic[j]];
        }
    }
    if (nvb)
        over_peers(m);
    free(s.start);
    free(s.by);
    free(s.cost);
    free(s.last);
    free(s.done);
}
