/* nccl_links.c - NVLink, xGMI and C2C of an NCCL topology, as a matrix.
 *
 * A link's other end is told by its class: 0x068000 is an NVSwitch, 0x068001 a CPU, 0x03.... a
 * GPU. Hidden NVSwitches (in virtual machines) are fffffff:ff:ff.0: one switch all the same. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "topo/nccl.h"
#include "topo/standards.h"
#include "util/memory.h"
#include "util/why.h"

enum { SWITCHES = 64, CLASS_SWITCH = 0x068000, CLASS_CPU = 0x068001, MOST_MBPS = 10000000 };

static bool is_link(const struct sp_xml *x)
{
    return !strcmp(x->tag, "nvlink") || !strcmp(x->tag, "xgmi");
}

/* The index in gpu[] of a bus id, or -1. */
static int gpu_at(const struct sp_nccl *n, const char *bus)
{
    for (int g = 0; g < n->ngpus; g++) {
        const char *own = sp_xml_get(n->device[n->gpu[g]].pci, "busid");
        if (own && !strcmp(own, bus))
            return g;
    }
    return -1;
}

static int switch_at(const struct sp_nccl *n, const char *bus)
{
    for (int s = 0; s < n->nswitches; s++)
        if (!strcmp(n->nvswitch[s], bus))
            return s;
    return -1;
}

/* ---- first: which switches there are, and that links make sense ---- */

static const char *note_end(struct sp_nccl *n, const struct sp_xml *link)
{
    long class, count;
    const char *target = sp_xml_get(link, "target");
    const char *why = sp_nccl_number(n, link, "tclass", 0, 0xffffff, 0, &class);
    why = why ? why : sp_nccl_number(n, link, "count", 1, 64, 1, &count);
    if (why)
        return why;
    if (!target)
        return sp_why("%s:%d: %s has no target", n->path, link->line, link->tag);
    n->xgmi = n->xgmi || !strcmp(link->tag, "xgmi");
    n->to_cpu = n->to_cpu || class == CLASS_CPU;
    if (class != CLASS_SWITCH || switch_at(n, target) >= 0)
        return NULL;
    if (n->nswitches == SWITCHES)
        return sp_why("%s:%d: more than %d NVSwitches", n->path, link->line, SWITCHES);
    n->nvswitch = sp_grow(n->nvswitch, n->nswitches, sizeof *n->nvswitch);
    n->nvswitch[n->nswitches++] = target;
    return NULL;
}

static const char *note_ends(struct sp_nccl *n)
{
    const char *why = NULL;
    bool nvlink = false;
    for (int g = 0; g < n->ngpus; g++) {
        const struct sp_xml *gpu = n->device[n->gpu[g]].gpu;
        for (struct sp_xml *x = gpu ? gpu->child : NULL; x && !why; x = x->next) {
            if (is_link(x))
                why = note_end(n, x);
            nvlink = nvlink || !strcmp(x->tag, "nvlink");
            n->to_cpu = n->to_cpu || !strcmp(x->tag, "c2c");
        }
    }
    if (!why && nvlink && n->xgmi)
        why = sp_why("%s has both nvlink and xgmi", n->path);
    return why;
}

/* ---- then: rates ---- */

static const char *rate_of(const struct sp_nccl *n, const struct sp_xml *gpu, long *rate)
{
    long sm;
    const char *gcn = sp_xml_get(gpu, "gcn");
    if (n->xgmi) {
        *rate = gcn ? sp_xgmi_rate(gcn) : -1;
        if (*rate <= 0)
            return sp_why("%s:%d: gcn=\"%.20s\": the rate of its xGMI links is not known",
                          n->path, gpu->line, gcn ? gcn : "");
        return NULL;
    }
    const char *why = sp_nccl_number(n, gpu, "sm", 0, 10000, 0, &sm);
    if (why)
        return why;
    *rate = sp_nvlink_rate_of_sm((int)sm);
    return *rate > 0 ? NULL : sp_why("%s:%d: sm=\"%ld\": the rate of its NVLinks is not known",
                                     n->path, gpu->line, sm);
}

static void join(struct sp_nccl *n, int from, int to, long mbps)
{
    n->mbps[from * n->objects + to] += mbps;
}

/* Links to itself are skipped, as are GPUs that the file doesn't have. */
static const char *add_link(struct sp_nccl *n, int g, const struct sp_xml *link)
{
    const struct sp_nccl_device *d = &n->device[n->gpu[g]];
    const char *target = sp_xml_get(link, "target");
    long rate, count, class;
    const char *why = rate_of(n, d->gpu, &rate);
    if (why)
        return why;
    sp_nccl_number(n, link, "count", 1, 64, 1, &count);
    sp_nccl_number(n, link, "tclass", 0, 0xffffff, 0, &class);
    int peer = gpu_at(n, target), end = -1;
    if (class == CLASS_SWITCH)
        end = n->ngpus + switch_at(n, target);
    else if (class == CLASS_CPU)
        end = n->ngpus + n->nswitches + d->cpu;
    else if (peer >= 0 && peer != g)
        join(n, g, peer, count * rate);
    if (end >= 0) {
        join(n, g, end, count * rate);
        join(n, end, g, count * rate);
    }
    return NULL;
}

static const char *add_c2c(struct sp_nccl *n, int g, const struct sp_xml *c2c)
{
    long bw, count;
    const char *why = sp_nccl_number(n, c2c, "bw", 1, MOST_MBPS, 0, &bw);
    why = why ? why : sp_nccl_number(n, c2c, "count", 1, 64, 1, &count);
    if (why)
        return why;
    int cpu = n->ngpus + n->nswitches + n->device[n->gpu[g]].cpu;
    join(n, g, cpu, bw * count);
    join(n, cpu, g, bw * count);
    return NULL;
}

const char *sp_nccl_links(struct sp_nccl *n)
{
    const char *why = note_ends(n);
    if (why)
        return why;
    n->objects = n->ngpus + n->nswitches + (n->to_cpu ? n->ncpus : 0);
    n->mbps = sp_alloc((size_t)n->objects * (size_t)n->objects * sizeof *n->mbps);
    for (int g = 0; g < n->ngpus; g++) {
        const struct sp_xml *gpu = n->device[n->gpu[g]].gpu;
        for (struct sp_xml *x = gpu ? gpu->child : NULL; x && !why; x = x->next) {
            if (is_link(x))
                why = add_link(n, g, x);
            else if (!strcmp(x->tag, "c2c"))
                why = add_c2c(n, g, x);
        }
    }
    return why;
}
