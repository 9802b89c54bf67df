/* nccl.c - what is what in an NCCL topology.
 *
 *      system > cpu numaid > pci (a switch) > pci > gpu > nvlink target count tclass
 *                                           > pci > nic > net name speed
 *
 * Dumps (NCCL_TOPO_DUMP_FILE) have all of it. Files that are given to NCCL may be sparse: it
 * adds the rest on the machine, so what can't be told from the class of a device is refused. */
/* SPDX-License-Identifier: MIT */
#include "topo/nccl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/why.h"

const char *sp_nccl_number(const struct sp_nccl *n, const struct sp_xml *x, const char *name,
                           long low, long high, long absent, long *value)
{
    const char *text = sp_xml_get(x, name);
    *value = absent;
    if (!text || !*text)
        return NULL;
    char *end;
    errno = 0;
    long number = strtol(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
    if (*end || end == text || errno || number < low || number > high)
        return sp_why("%s:%d: %s=\"%.40s\" must be a number from %ld to %ld", n->path, x->line,
                      name, text, low, high);
    *value = number;
    return NULL;
}

/* ---- devices ---- */

static const char *add(struct sp_nccl *n, struct sp_nccl_device device)
{
    const struct sp_xml *x = device.pci ? device.pci : device.nic;
    if (n->ndevices == SP_NCCL_DEVICES)
        return sp_why("%s:%d: more than %d devices", n->path, x->line, SP_NCCL_DEVICES);
    n->device = sp_grow(n->device, n->ndevices, sizeof *n->device);
    n->device[n->ndevices++] = device;
    return NULL;
}

static const char *kind_of(const struct sp_nccl *n, struct sp_nccl_device *d)
{
    long class;
    const char *why = sp_nccl_number(n, d->pci, "class", 0, 0xffffff, -1, &class);
    if (why)
        return why;
    d->gpu = sp_xml_find(d->pci->child, "gpu");
    d->nic = sp_xml_find(d->pci->child, "nic");
    if (d->gpu || class >> 8 == 0x302 || class >> 8 == 0x300 || class >> 8 == 0x380
        || class >> 8 == 0x1200)
        d->kind = SP_NCCL_GPU;
    else if (d->nic || class >> 16 == 0x02)
        d->kind = SP_NCCL_NIC;
    else if (sp_xml_find(d->pci->child, "pci") || class >> 8 == 0x604)
        d->kind = SP_NCCL_BRIDGE;
    else if (class < 0)
        return sp_why("%s:%d: pci has no class, and neither a gpu nor a nic in it: this file is "
                      "one that NCCL completes; dump what it makes of it on the machine, with "
                      "NCCL_TOPO_DUMP_FILE", n->path, d->pci->line);
    return NULL;
}

static const char *collect(struct sp_nccl *n, struct sp_xml *parent, int cpu)
{
    const char *why = NULL;
    for (struct sp_xml *x = parent->child; x && !why; x = x->next) {
        struct sp_nccl_device d = { .cpu = cpu, .number = -1 };
        if (!strcmp(x->tag, "nic") && !strcmp(parent->tag, "cpu")) {
            d.nic = x;
            d.kind = SP_NCCL_NIC;
            why = add(n, d);
        } else if (!strcmp(x->tag, "pci")) {
            d.pci = x;
            why = kind_of(n, &d);
            why = why ? why : add(n, d);
            if (!why && d.kind == SP_NCCL_BRIDGE)
                why = collect(n, x, cpu);
        }
    }
    return why;
}

/* By number, where NCCL has one; in files without, in order. */
static const char *number_gpus(struct sp_nccl *n)
{
    n->gpu = sp_alloc((size_t)n->ndevices * sizeof *n->gpu);
    for (int i = 0; i < n->ndevices; i++) {
        struct sp_nccl_device *d = &n->device[i];
        if (d->kind != SP_NCCL_GPU)
            continue;
        long number = n->ngpus;
        const char *why = d->gpu ? sp_nccl_number(n, d->gpu, "dev", 0, SP_NCCL_DEVICES, number,
                                                  &number) : NULL;
        if (why)
            return why;
        d->number = (int)number;
        int at = n->ngpus++;
        for (; at > 0 && n->device[n->gpu[at - 1]].number > number; at--)
            n->gpu[at] = n->gpu[at - 1];
        if (at > 0 && n->device[n->gpu[at - 1]].number == number)
            return sp_why("%s:%d: a second GPU with dev=\"%ld\"", n->path, d->pci->line,
                          number);
        n->gpu[at] = i;
    }
    return NULL;
}

/* ---- processors ---- */

static const char *add_cpu(struct sp_nccl *n, struct sp_xml *cpu)
{
    long numa, other;
    const char *why = sp_nccl_number(n, cpu, "numaid", -1, 4095, 0, &numa);
    if (why)
        return why;
    if (n->ncpus == SP_NCCL_CPUS)
        return sp_why("%s:%d: more than %d cpus", n->path, cpu->line, SP_NCCL_CPUS);
    const char *host = sp_xml_get(cpu, "host_hash");
    const char *first = n->ncpus ? sp_xml_get(n->cpu[0], "host_hash") : host;
    if (host && first && strcmp(host, first))
        return sp_why("%s:%d: a second host, %.20s beside %.20s; dump a run on one machine "
                      "alone", n->path, cpu->line, host, first);
    int at = n->ncpus++;
    for (; at > 0; at--) {
        sp_nccl_number(n, n->cpu[at - 1], "numaid", -1, 4095, 0, &other);
        if (other <= numa)
            break;
        n->cpu[at] = n->cpu[at - 1];
    }
    n->cpu[at] = cpu;
    return NULL;
}

static const char *find_cpus(struct sp_nccl *n)
{
    if (!strcmp(n->root->tag, "graphs"))
        return sp_why("%s is an NCCL graph (NCCL_GRAPH_DUMP_FILE), not a topology: use "
                      "NCCL_TOPO_DUMP_FILE", n->path);
    if (strcmp(n->root->tag, "system"))
        return sp_why("%s:%d: begins with <%.40s>, not with <system> as NCCL's topologies do",
                      n->path, n->root->line, n->root->tag);
    const char *why = NULL;
    for (struct sp_xml *x = n->root->child; x && !why; x = x->next)
        if (!strcmp(x->tag, "cpu"))
            why = add_cpu(n, x);
    if (!why && !n->ncpus)
        why = sp_why("%s has no <cpu>", n->path);
    return why;
}

const char *sp_nccl_read(struct sp_nccl *n, FILE *in, const char *path)
{
    const char *why;
    *n = (struct sp_nccl){ .path = path };
    n->root = sp_xml_read(in, path, &why);
    if (n->root)
        why = find_cpus(n);
    for (int i = 0; i < n->ncpus && !why; i++)
        why = collect(n, n->cpu[i], i);
    why = why ? why : number_gpus(n);
    return why ? why : sp_nccl_links(n);
}

void sp_nccl_free(struct sp_nccl *n)
{
    sp_xml_free(n->root);
    free(n->device);
    free(n->gpu);
    free(n->nvswitch);
    free(n->mbps);
}
