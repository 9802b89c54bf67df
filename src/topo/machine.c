/* machine.c - the PCIe tree of an inventory, as few vertices: GPUs, NICs, switches, NUMA.
 *
 *      host bridge - root port - switch - GPU          numa - psw - gpu
 *                                     \ - NIC     ->             \ - nic
 *
 * A bridge with one way down is a piece of that link. Both ends of a link tell its speed, and
 * idle ones tell less: the larger counts. */
/* SPDX-License-Identifier: MIT */
#include "topo/machine.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/devices.h"
#include "topo/names.h"
#include "topo/standards.h"
#include "util/memory.h"
#include "util/why.h"

enum { MOST_NUMA = 1024 };

struct build {
    struct sp_mould *m;
    const struct sp_machine_spec *spec;
    const struct sp_inventory *v;
    int *useful, *gpus;         /* GPUs and NICs, and GPUs, at or below a device */
    int *vertex;                /* of a device; -1: none */
    int *numa;                  /* vertices */
    int switches;
    const char *why;
};

int sp_mould_vertex(struct sp_mould *m, enum sp_vertex_kind kind, const char *name)
{
    m->vertex = sp_grow(m->vertex, m->nvertices, sizeof *m->vertex);
    m->vertex[m->nvertices] = (struct sp_vertex){ .kind = kind, .name = sp_name_copy(name) };
    return m->nvertices++;
}

void sp_mould_link(struct sp_mould *m, const struct sp_machine_spec *spec,
                   enum sp_link_kind kind, int from, int to, double rate, const char *source)
{
    for (int way = 0; way < 2; way++) {
        m->link = sp_grow(m->link, m->nlinks, sizeof *m->link);
        m->link[m->nlinks++] = (struct sp_link){
            .kind = kind, .from = way ? to : from, .to = way ? from : to, .cables = 1,
            .rate = rate, .latency = spec->latency[kind], .source = source };
    }
}

static int numbered(struct build *b, enum sp_vertex_kind kind, const char *name, int number)
{
    char text[32];
    snprintf(text, sizeof text, "%s%d", name, number);
    return sp_mould_vertex(b->m, kind, text);
}

/* ---- what counts ------------------------------------------------------------------------- */

/* Whether one of the names between commas fits the pattern. */
static bool named(const char *names, const char *pattern)
{
    char *copy = strdup(names), *rest = copy, *name;
    bool found = false;
    while (!found && (name = strsep(&rest, ",")))
        found = !fnmatch(pattern, name, 0);
    free(copy);
    return found;
}

/* Marks GPUs, and NICs: those of the pattern, or the fast ones if there are any. */
static void mark(struct build *b)
{
    const struct sp_inventory *v = b->v;
    const char *pattern = b->spec->nics;
    bool fast = false;
    for (int i = 0; i < v->ndevices; i++)
        fast |= v->device[i].kind == SP_DEVICE_NIC && v->device[i].fast;
    int nics = 0;
    for (int i = 0; i < v->ndevices; i++) {
        const struct sp_device *d = &v->device[i];
        bool nic = d->kind == SP_DEVICE_NIC
            && (pattern ? named(d->names, pattern) : d->fast || !fast);
        nics += nic;
        if (!nic && d->kind != SP_DEVICE_GPU)
            continue;
        for (int up = i; up >= 0; up = v->device[up].parent) {
            b->useful[up]++;
            b->gpus[up] += !nic;
        }
    }
    if (pattern && !nics)
        b->why = sp_why("machine %s: nics=%s is the name of none of its NICs", b->spec->name,
                        pattern);
}

/* ---- PCIe -------------------------------------------------------------------------------- */

/* What a device says of its link; 0: nothing, or fiction. */
static double told(const struct sp_device *d)
{
    return sp_pcie_emulated(d->vendor, d->device) ? 0 : d->speed;
}

static double larger(double a, double b) { return a > b ? a : b; }

static double smaller_known(double a, double b)
{
    return a <= 0 ? b : b <= 0 ? a : a < b ? a : b;
}

/* The fastest that is known below: links of unknown speed are taken to be as fast. */
static double fastest_below(const struct build *b, int at)
{
    double best = 0;
    for (int i = at + 1; i < b->v->ndevices; i++)
        for (int up = b->v->device[i].parent; b->useful[i] && up >= at;
             up = b->v->device[up].parent)
            if (up == at)
                best = larger(best, told(&b->v->device[i]));
    return best;
}

static void join(struct build *b, int device, int to, double rate)
{
    const struct sp_device *d = &b->v->device[device];
    const char *source = "hwloc";
    if (rate <= 0 && d->kind == SP_DEVICE_NIC) {
        rate = b->m->nic_rate[b->m->nnics - 1];
        source = "NIC rate";
    } else if (rate <= 0 && !b->gpus[device]) {
        rate = sp_device_default("pcie");
        source = "default";
    }
    if (b->spec->pcie > 0) {
        rate = b->spec->pcie;
        source = "cluster file";
    }
    if (rate <= 0 && b->gpus[device] && !b->why)
        b->why = sp_why("machine %s: the PCIe speed of %s %s is not in its file (it was written "
                        "without root, or in a virtual machine); give it as pcie=32GB/s",
                        b->spec->name, d->kind == SP_DEVICE_GPU ? "GPU" : "bridge", d->bus);
    sp_mould_link(b->m, b->spec, SP_LINK_PCIE, b->vertex[device], to, rate, source);
}

static void add_nic(struct build *b, int device)
{
    const struct sp_device *d = &b->v->device[device];
    struct sp_mould *m = b->m;
    struct sp_known_device known;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(d->names, ","), d->names);
    m->nic = sp_grow(m->nic, m->nnics, sizeof *m->nic);
    m->nic_rate = sp_grow(m->nic_rate, m->nnics, sizeof *m->nic_rate);
    m->nic[m->nnics] = b->vertex[device] = sp_mould_vertex(m, SP_NIC, name);
    m->nic_rate[m->nnics++] = b->spec->nic_rate > 0 ? b->spec->nic_rate
        : d->rate > 0 ? d->rate
        : sp_device_find("nic", d->vendor, d->device, &known) ? known.rate : 0;
}

/* Adds what is at and below a device. rate: the least of the links since vertex `to`; port:
 * what the port right above says of the link to here; 0: nothing. */
static void descend(struct build *b, int at, int to, double rate, double port)
{
    const struct sp_device *d = &b->v->device[at];
    int ways = 0, only = 0;
    bool is_port = d->kind == SP_DEVICE_BRIDGE && d->depth % 2;
    for (int i = at + 1; i < b->v->ndevices; i++)
        if (b->v->device[i].parent == at && b->useful[i]) {
            ways++;
            only = i;
        }
    if (ways == 1 && is_port) {
        descend(b, only, to, rate, told(d));
        return;
    }
    rate = smaller_known(rate, larger(told(d), port));
    if (ways == 1) {
        descend(b, only, to, rate, 0);
        return;
    }
    if (d->kind == SP_DEVICE_NIC)
        add_nic(b, at);
    else if (d->kind == SP_DEVICE_BRIDGE)
        b->vertex[at] = numbered(b, SP_PCISWITCH, "psw", b->switches++);
    join(b, at, to, rate > 0 ? rate : fastest_below(b, at));
    for (int i = at + 1; i < b->v->ndevices; i++)
        if (b->v->device[i].parent == at && b->useful[i])
            descend(b, i, b->vertex[at], 0, 0);
}

/* ---- GPUs, NUMA nodes -------------------------------------------------------------------- */

static const struct sp_inventory *sorting;

/* CUDA's numbers first, then the order of the bus. */
static int gpu_order(const void *left, const void *right)
{
    const struct sp_device *a = &sorting->device[*(const int *)left];
    const struct sp_device *b = &sorting->device[*(const int *)right];
    if (a->order != b->order && a->order >= 0 && b->order >= 0)
        return a->order < b->order ? -1 : 1;
    if ((a->order < 0) != (b->order < 0))
        return a->order < 0 ? 1 : -1;
    return strcmp(a->bus, b->bus);
}

/* The GPUs' devices, sorted; free() them. */
static int *add_gpus(struct build *b)
{
    struct sp_mould *m = b->m;
    int *gpu = sp_alloc(((size_t)b->v->ndevices + 1) * sizeof *gpu);
    for (int i = 0; i < b->v->ndevices; i++)
        if (b->v->device[i].kind == SP_DEVICE_GPU)
            gpu[m->gpus++] = i;
    sorting = b->v;
    qsort(gpu, (size_t)m->gpus, sizeof *gpu, gpu_order);
    if (m->gpus > SP_MAX_LOCAL_ENDPOINTS)
        b->why = sp_why("machine %s: %d GPUs are more than %d", b->spec->name, m->gpus,
                        SP_MAX_LOCAL_ENDPOINTS);
    m->endpoint = sp_alloc(((size_t)m->gpus + 1) * sizeof *m->endpoint);
    for (int i = 0; i < m->gpus; i++)
        m->endpoint[i] = b->vertex[gpu[i]] = numbered(b, SP_GPU, "gpu", i);
    m->nendpoints = m->gpus;
    return gpu;
}

/* The first NUMA node of a package stands for what joins the others, and for the socket. */
static void add_numa(struct build *b)
{
    const struct sp_inventory *v = b->v;
    double rate;
    const char *source = sp_device_smp(b->m->cpu, &rate) ? "device table" : "default";
    if (b->spec->smp > 0) {
        rate = b->spec->smp;
        source = "cluster file";
    }
    for (int i = 0; i < v->nnuma; i++)
        b->numa[i] = numbered(b, SP_NUMA, "numa", i);
    for (int i = 1; i < v->nnuma; i++) {
        int first = 0;
        while (v->numa[first] != v->numa[i])
            first++;
        if (first < i)
            sp_mould_link(b->m, b->spec, SP_LINK_SMP, b->numa[first], b->numa[i],
                          sp_device_default("package"), "default");
        for (int j = 0; first == i && j < i; j++) {
            bool leads = true;
            for (int k = 0; k < j; k++)
                leads &= v->numa[k] != v->numa[j];
            if (leads)
                sp_mould_link(b->m, b->spec, SP_LINK_SMP, b->numa[j], b->numa[i], rate, source);
        }
    }
}

/* ---- processors as endpoints ------------------------------------------------------------- */

/* Ranks of a machine without GPUs: one a core, or `ranks` of them spread over NUMA nodes. */
static void add_ranks(struct build *b)
{
    struct sp_mould *m = b->m;
    const struct sp_inventory *v = b->v;
    long ranks = b->spec->ranks > 0 ? b->spec->ranks : v->cores;
    if (ranks > SP_MAX_LOCAL_ENDPOINTS) {
        b->why = sp_why("machine %s: %ld ranks are more than %d; give fewer as ranks=",
                        b->spec->name, ranks, SP_MAX_LOCAL_ENDPOINTS);
        return;
    }
    if (ranks < 1) {
        b->why = sp_why("machine %s: its file has neither GPUs nor cores; give ranks=",
                        b->spec->name);
        return;
    }
    double rate = b->spec->memory > 0 ? b->spec->memory : sp_device_default("memory");
    const char *source = b->spec->memory > 0 ? "cluster file" : "default";
    free(m->endpoint);
    m->nendpoints = (int)ranks;
    m->endpoint = sp_alloc((size_t)ranks * sizeof *m->endpoint);
    for (int i = 0; i < ranks; i++) {
        int numa = v->core && v->cores > 0 ? v->core[i * (long)v->cores / ranks]
                                           : (int)(i * v->nnuma / ranks);
        m->endpoint[i] = numbered(b, SP_CPU, "cpu", i);
        sp_mould_link(m, b->spec, SP_LINK_MEMORY, m->endpoint[i], b->numa[numa], rate, source);
    }
    if (!m->nnics) {
        m->nic = sp_alloc(sizeof *m->nic);
        m->nic_rate = sp_alloc(sizeof *m->nic_rate);
        m->nic[0] = sp_mould_vertex(m, SP_NIC, "nic0");
        m->nic_rate[m->nnics++] = b->spec->nic_rate;
        sp_mould_link(m, b->spec, SP_LINK_PCIE, m->nic[0], b->numa[0], b->spec->nic_rate,
                      "NIC rate");
    }
}

/* ---- all of it --------------------------------------------------------------------------- */

/* The model of the first GPU. */
static char *model_of(const struct sp_machine_spec *spec, const struct sp_device *d)
{
    struct sp_known_device known;
    char id[16];
    if (spec->gpu || (d && *d->model))
        return sp_name_copy(spec->gpu ? spec->gpu : d->model);
    if (!d || sp_device_find("gpu", d->vendor, d->device, &known))
        return sp_name_copy(d ? known.name : "");
    snprintf(id, sizeof id, "%04x:%04x", d->vendor & 0xffffu, d->device & 0xffffu);
    return sp_name_copy(id);
}

/* Of the GPU that has least; 0 if one's isn't known, or the cluster file says that they are
 * others. */
static double memory_of(const struct build *b, const int *gpu)
{
    double least = INFINITY;
    for (int i = 0; i < b->m->gpus; i++)
        least = fmin(least, b->v->device[gpu[i]].memory);
    return b->spec->gpu || isinf(least) ? 0 : least;
}

static int natural(const void *left, const void *right, void *mould)
{
    const struct sp_mould *m = mould;
    return strverscmp(m->vertex[*(const int *)left].name, m->vertex[*(const int *)right].name);
}

/* NICs by name, mlx5_9 before mlx5_10: rails are counted in this order. */
static void sort_nics(struct sp_mould *m)
{
    double *rate = sp_alloc((size_t)m->nvertices * sizeof *rate);
    for (int i = 0; i < m->nnics; i++)
        rate[m->nic[i]] = m->nic_rate[i];
    if (m->nnics)
        qsort_r(m->nic, (size_t)m->nnics, sizeof *m->nic, natural, m);
    for (int i = 0; i < m->nnics; i++)
        m->nic_rate[i] = rate[m->nic[i]];
    free(rate);
}

static void build(struct build *b)
{
    struct sp_mould *m = b->m;
    const struct sp_inventory *v = b->v;
    m->name = strdup(b->spec->name);
    m->cpu = sp_name_copy(v->cpu);
    m->processors = b->spec->cores > 0 ? (int)b->spec->cores : v->cores;
    for (int i = 0; i < v->ndevices; i++)
        b->vertex[i] = -1;
    if (v->nnuma > MOST_NUMA) {
        b->why = sp_why("machine %s: %d NUMA nodes are more than %d", b->spec->name, v->nnuma,
                        MOST_NUMA);
        return;
    }
    mark(b);
    int *gpu = add_gpus(b);
    m->gpu = model_of(b->spec, m->gpus ? &v->device[gpu[0]] : NULL);
    m->memory = memory_of(b, gpu);
    add_numa(b);
    for (int i = 0; i < v->ndevices; i++)
        if (v->device[i].parent < 0 && b->useful[i])
            descend(b, i, b->numa[v->device[i].numa], 0, 0);
    if (!m->gpus && !b->why)
        add_ranks(b);
    sort_nics(m);
    if (m->gpus && !b->why)
        b->why = sp_mould_connect(m, b->spec, v, gpu, b->numa);
    if (!b->why)
        sp_mould_ways(m, b->spec->nvb);
    free(gpu);
}

struct sp_mould *sp_mould_new(const struct sp_machine_spec *spec, const char **why)
{
    struct sp_inventory *v;
    if (spec->topo) {
        v = sp_inventory_read(strcmp(spec->topo, "-") ? spec->topo : NULL, why);
        if (!v)
            return NULL;
    } else {
        v = sp_alloc(sizeof *v);
        v->cpu = strdup("");
        v->numa = sp_alloc(sizeof *v->numa);
        v->nnuma = 1;
        v->cores = (int)spec->ranks;
    }
    struct build b = { .m = sp_alloc(sizeof *b.m), .spec = spec, .v = v };
    b.useful = sp_alloc((size_t)v->ndevices * sizeof *b.useful);
    b.gpus = sp_alloc((size_t)v->ndevices * sizeof *b.gpus);
    b.vertex = sp_alloc((size_t)v->ndevices * sizeof *b.vertex);
    b.numa = sp_alloc((size_t)v->nnuma * sizeof *b.numa);
    build(&b);
    free(b.useful);
    free(b.gpus);
    free(b.vertex);
    free(b.numa);
    sp_inventory_free(v);
    if ((*why = b.why)) {
        sp_mould_free(b.m);
        return NULL;
    }
    return b.m;
}

void sp_mould_free(struct sp_mould *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->nvertices; i++)
        free(m->vertex[i].name);
    free(m->vertex);
    free(m->link);
    free(m->endpoint);
    free(m->nic);
    free(m->nic_rate);
    free(m->hop);
    free(m->between);
    free(m->out);
    free(m->distance);
    free(m->missing);
    free(m->name);
    free(m->gpu);
    free(m->cpu);
    free(m);
}
