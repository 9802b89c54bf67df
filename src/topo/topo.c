/* topo.c - from a cluster file to a graph: nodes are cast from moulds, then joined. */
/* SPDX-License-Identifier: MIT */
#include "topo/topo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/cluster.h"
#include "topo/machine.h"
#include "topo/routes.h"
#include "util/memory.h"
#include "util/why.h"

enum { MAX_VERTICES = 1 << 23, MAX_LINKS = 1 << 25 };

const char *const sp_vertex_names[] = {
    "gpu", "cpu", "nvswitch", "pciswitch", "numa", "nic", "leaf", "spine", NULL };
const char *const sp_link_names[] = {
    "nvlink", "xgmi", "c2c", "pcie", "smp", "memory", "net", NULL };
const char *const sp_path_names[] = {
    "self", "nvlink", "pcie", "host", "memory", "net", NULL };

int sp_build_vertex(struct sp_topo *t, enum sp_vertex_kind kind, int node, const char *name)
{
    t->vertex = sp_grow(t->vertex, t->nvertices, sizeof *t->vertex);
    t->vertex[t->nvertices] = (struct sp_vertex){
        .kind = kind, .node = node, .name = sp_name_copy(name) };
    return t->nvertices++;
}

/* back: latency of the other direction. The number of the first. */
int sp_build_link(struct sp_topo *t, const struct sp_link *l, double back)
{
    for (int way = 0; way < 2; way++) {
        t->link = sp_grow(t->link, t->nlinks, sizeof *t->link);
        t->link[t->nlinks] = *l;
        if (way) {
            t->link[t->nlinks].from = l->to;
            t->link[t->nlinks].to = l->from;
            t->link[t->nlinks].latency = back;
        }
        t->nlinks++;
    }
    return t->nlinks - 2;
}

/* ---- machines and nodes ------------------------------------------------------------------ */

static const char *add_machines(struct sp_builder *b, struct sp_names *names)
{
    const struct sp_cluster *c = b->c;
    struct sp_topo *t = b->t;
    const char *why = NULL;
    t->machine = sp_alloc((size_t)c->nmachines * sizeof *t->machine);
    t->routes->mould = sp_alloc((size_t)c->nmachines * sizeof *t->routes->mould);
    for (int i = 0; i < c->nmachines && !why; i++) {
        const struct sp_machine_spec *s = &c->machine[i].spec;
        int line = c->machine[i].line;
        if (!s->topo && !s->ranks)
            return sp_why("%s:%d: machine %s needs topo=FILE.xml, or ranks=N if it has only "
                          "processors", c->path, line, s->name);
        if (!sp_names_add(names, s->name, i))
            return sp_why("%s:%d: there is a machine %s already", c->path, line, s->name);
        struct sp_mould *m = sp_mould_new(s, &why);
        if (!m)
            return line ? sp_why("%s:%d: %s", c->path, line, why) : why;
        if (s->ranks && m->gpus)
            why = sp_why("%s:%d: machine %s has GPUs: ranks= is for those without", c->path,
                         line, s->name);
        t->machine[i] = (struct sp_machine){
            .name = sp_name_copy(m->name), .gpu = sp_name_copy(m->gpu), .cpu = sp_name_copy(m->cpu),
            .gpus = m->gpus, .processors = m->processors, .memory = m->memory };
        t->routes->mould[t->nmachines++] = m;
    }
    return why;
}

static const char *add_node(struct sp_builder *b, const struct sp_nodes_line *l, int machine,
                            const char *name)
{
    struct sp_topo *t = b->t;
    if (!sp_names_add(&b->node, name, t->nnodes))
        return sp_why("%s:%d: there is a node %s already", b->c->path, l->line, name);
    if (t->nnodes == SP_MAX_HOSTS)
        return sp_why("%s:%d: more than %d nodes", b->c->path, l->line, SP_MAX_HOSTS);
    t->node = sp_grow(t->node, t->nnodes, sizeof *t->node);
    t->node[t->nnodes++] = (struct sp_node){ .name = sp_name_copy(name), .machine = machine };
    return NULL;
}

static const char *add_nodes(struct sp_builder *b, const struct sp_names *machines)
{
    const struct sp_cluster *c = b->c;
    const char *why = NULL;
    for (int i = 0; i < c->nnodes && !why; i++) {
        const struct sp_nodes_line *l = &c->nodes[i];
        int machine = sp_names_find(machines, l->machine);
        if (machine < 0)
            return sp_why("%s:%d: there is no machine %s", c->path, l->line, l->machine);
        for (int k = 0; k < l->hosts.n && !why; k++)
            why = add_node(b, l, machine, l->hosts.at[k]);
    }
    if (!why && !b->t->nnodes)
        why = sp_why("%s: has no nodes; they come as: nodes HOSTLIST machine=NAME", c->path);
    return why;
}

/* The node's vertices, links and endpoints. */
static void cast(struct sp_topo *t, int node)
{
    struct sp_topo_routes *r = t->routes;
    const struct sp_mould *m = sp_mould_of(t, node);
    int base = r->first_vertex[node] = t->nvertices;
    char name[512];
    r->first_link[node] = t->nlinks;
    for (int i = 0; i < m->nvertices; i++) {
        snprintf(name, sizeof name, "%s/%s", t->node[node].name, m->vertex[i].name);
        sp_build_vertex(t, m->vertex[i].kind, node, name);
    }
    for (int i = 0; i < m->nlinks; i += 2) {
        struct sp_link l = m->link[i];
        l.from += base;
        l.to += base;
        sp_build_link(t, &l, l.latency);
    }
    t->node[node].first = t->nendpoints;
    t->node[node].endpoints = m->nendpoints;
    for (int i = 0; i < m->nendpoints; i++) {
        t->endpoint = sp_grow(t->endpoint, t->nendpoints, sizeof *t->endpoint);
        t->endpoint[t->nendpoints++] = base + m->endpoint[i];
    }
}

static const char *cast_all(struct sp_builder *b)
{
    struct sp_topo *t = b->t;
    double vertices = 0, links = 0;
    for (int i = 0; i < t->nnodes; i++) {
        vertices += sp_mould_of(t, i)->nvertices;
        links += sp_mould_of(t, i)->nlinks;
    }
    if (vertices > MAX_VERTICES || links > MAX_LINKS)
        return sp_why("%s: %.0f devices in all are more than %d", b->c->path, vertices,
                      MAX_VERTICES);
    t->routes->first_vertex = sp_alloc((size_t)t->nnodes * sizeof(int));
    t->routes->first_link = sp_alloc((size_t)t->nnodes * sizeof(int));
    for (int i = 0; i < t->nnodes; i++)
        cast(t, i);
    t->routes->domain = sp_alloc((size_t)t->nendpoints * sizeof(int));
    t->routes->domain_link = sp_alloc((size_t)t->nendpoints * sizeof(int));
    for (int e = 0; e < t->nendpoints; e++)
        t->routes->domain[e] = t->routes->domain_link[e] = -1;
    return NULL;
}

/* ---- NVLink across nodes ----------------------------------------------------------------- */

static const char *join_node(struct sp_builder *b, const struct sp_domain_line *d, int number,
                             int hub, const char *host)
{
    struct sp_topo *t = b->t;
    const char *file = b->c->path;
    int node = sp_names_find(&b->node, host);
    if (node < 0)
        return sp_why("%s:%d: there is no node %s", file, d->line, host);
    const struct sp_mould *m = sp_mould_of(t, node);
    if (!m->gpus)
        return sp_why("%s:%d: node %s has no GPUs", file, d->line, host);
    if (m->linked)
        return sp_why("%s:%d: node %s has NVLink of its own; if these are the same links, "
                      "machine %s needs nvlink=none", file, d->line, host, m->name);
    for (int e = t->node[node].first; e < t->node[node].first + m->nendpoints; e++) {
        if (t->routes->domain[e] >= 0)
            return sp_why("%s:%d: node %s is in an nvlink line already", file, d->line, host);
        t->routes->domain[e] = number;
        t->routes->domain_link[e] = sp_build_link(t, &(struct sp_link){
            .kind = SP_LINK_NVLINK, .from = t->endpoint[e], .to = hub, .cables = 1,
            .rate = (double)d->links * d->rate, .source = "cluster file" }, 0);
    }
    return NULL;
}

static const char *join_domains(struct sp_builder *b)
{
    const char *why = NULL;
    struct sp_topo *t = b->t;
    for (int i = 0; i < b->c->ndomains && !why; i++) {
        const struct sp_domain_line *d = &b->c->domain[i];
        int hub = sp_build_vertex(t, SP_NVSWITCH, -1, d->name);
        for (int k = 0; k < d->nodes.n && !why; k++)
            why = join_node(b, d, i, hub, d->nodes.at[k]);
    }
    for (int n = 0; n < t->nnodes && !why; n++)
        if (sp_mould_of(t, n)->missing && t->routes->domain[t->node[n].first] < 0)
            why = sp_why("%s: %s", b->c->path, sp_mould_of(t, n)->missing);
    return why;
}

/* ---- all of it --------------------------------------------------------------------------- */

static const char *build(struct sp_builder *b)
{
    struct sp_names machines = { 0 };
    const char *why = add_machines(b, &machines);
    if (!why)
        why = add_nodes(b, &machines);
    if (!why)
        why = cast_all(b);
    if (!why)
        why = join_domains(b);
    if (!why)
        why = sp_build_network(b);
    if (!why)
        why = sp_build_routes(b);
    sp_names_free(&machines);
    sp_names_free(&b->node);
    sp_names_free(&b->sw);
    free(b->cable);
    return why;
}

/* Whether a file looks like XML: its first sign is '<'. */
static const char *is_xml(const char *path, bool *xml)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return sp_why("%s: %s", path, strerror(errno));
    int c;
    do
        c = fgetc(f);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xef || c == 0xbb || c == 0xbf);
    *xml = c == '<';
    const char *why = ferror(f) ? sp_why("%s: %s", path, strerror(errno))
        : c == EOF ? sp_why("%s: is empty", path) : NULL;
    fclose(f);
    return why;
}

struct sp_topo *sp_topo_load(const char *path, const char **why)
{
    bool machine = !strcmp(path, "-");
    struct sp_cluster *c = NULL;
    if (!machine && (*why = is_xml(path, &machine)))
        return NULL;
    c = machine ? sp_cluster_of_machine(path) : sp_cluster_read(path, why);
    if (!c)
        return NULL;
    struct sp_builder b = { .c = c, .t = sp_alloc(sizeof *b.t) };
    b.t->name = strdup(c->name);
    b.t->routes = sp_alloc(sizeof *b.t->routes);
    *why = build(&b);
    sp_cluster_free(c);
    if (!*why)
        return b.t;
    sp_topo_free(b.t);
    return NULL;
}

void sp_topo_free(struct sp_topo *t)
{
    if (!t)
        return;
    struct sp_topo_routes *r = t->routes;
    for (int i = 0; i < t->nvertices; i++)
        free(t->vertex[i].name);
    for (int i = 0; i < t->nnodes; i++)
        free(t->node[i].name);
    for (int i = 0; i < t->nmachines; i++) {
        sp_mould_free(r->mould[i]);
        free(t->machine[i].name);
        free(t->machine[i].gpu);
        free(t->machine[i].cpu);
    }
    void *const arrays[] = {
        t->vertex, t->link, t->node, t->machine, t->endpoint, t->name, r->mould,
        r->first_vertex, r->first_link, r->domain, r->domain_link, r->port, r->own_start, r->own,
        r->up_start, r->up, r->row, r->steps, r, t };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}
