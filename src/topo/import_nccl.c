/* import_nccl.c - an NCCL or RCCL topology as hwloc v2 XML.
 *
 * NCCL hides all ports of a PCIe switch but the upper one; they are put back, because loading
 * tells ports by their depth:
 *
 *      cpu > switch > gpu      host bridge > root port > switch > lower port > GPU
 *
 * Each NUMA node becomes a package of its own: NCCL doesn't say which share one. */
/* SPDX-License-Identifier: MIT */
#include "topo/import.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "topo/devices.h"
#include "topo/hwlocxml.h"
#include "topo/nccl.h"
#include "topo/standards.h"
#include "util/memory.h"
#include "util/why.h"

enum { MOST_CORES = 4096, MOST_SPEED = 10000000 };  /* Mb/s */

struct writing {
    const struct sp_import *job;
    struct sp_nccl n;
    struct sp_hwlocxml x;
    struct sp_object *object;   /* n.objects */
    int at;                     /* of n.device: they are written in that order */
    int nics;                   /* without a name so far */
    struct sp_span core[SP_NCCL_CPUS];
};

/* ---- processors ---- */

/* How many processors a mask such as 00ffffff,ff000000 has: NCCL gives no other number. */
static int count_bits(const char *mask)
{
    int n = 0;
    for (; mask && *mask; mask++)
        if (isxdigit((unsigned char)*mask))
            for (long digit = strtol((char[]){ *mask, 0 }, NULL, 16); digit; digit &= digit - 1)
                n++;
    return n;
}

static const char *count_cores(struct writing *w)
{
    int first = 0;
    for (int i = 0; i < w->n.ncpus; i++) {
        int n = count_bits(sp_xml_get(w->n.cpu[i], "affinity"));
        w->core[i] = (struct sp_span){ first, n ? n : 1 };
        first += w->core[i].n;
    }
    return first <= MOST_CORES ? NULL : sp_why("%s has affinities of %d processors; at most %d",
                                               w->n.path, first, MOST_CORES);
}

static void write_cores(struct writing *w, int cpu)
{
    struct sp_span numa = { cpu, 1 };
    sp_hwlocxml_place(&w->x, "NUMANode", cpu, w->core[cpu], numa);
    sp_hwlocxml_close(&w->x);
    for (int i = 0; i < w->core[cpu].n; i++) {
        int index = w->core[cpu].first + i;
        struct sp_span core = { index, 1 };
        sp_hwlocxml_place(&w->x, "Core", index, core, numa);
        sp_hwlocxml_place(&w->x, "PU", index, core, numa);
        sp_hwlocxml_close(&w->x);
        sp_hwlocxml_close(&w->x);
    }
}

static void write_model(struct writing *w, const struct sp_xml *cpu)
{
    static const char *const from[] = { "vendor", "familyid", "modelid" };
    static const char *const to[] = { "CPUVendor", "CPUFamilyNumber", "CPUModelNumber" };
    char model[128] = "";
    for (int i = 0; i < 3; i++) {
        const char *value = sp_xml_get(cpu, from[i]);
        if (!value || !*value)
            continue;
        size_t n = strlen(model);
        snprintf(model + n, sizeof model - n, "%s%.30s", n ? " " : "", value);
        sp_hwlocxml_info(&w->x, to[i], value);
    }
    const char *arch = sp_xml_get(cpu, "arch");
    if (*model || arch)
        sp_hwlocxml_info(&w->x, "CPUModel", *model ? model : arch);
}

/* ---- devices ---- */

static const char *read_pci(const struct writing *w, const struct sp_xml *x, struct sp_pci *p)
{
    long class, vendor, device, lanes;
    const char *why = sp_nccl_number(&w->n, x, "class", 0, 0xffffff, 0x060400, &class);
    why = why ? why : sp_nccl_number(&w->n, x, "vendor", 0, 0xffff, 0xffff, &vendor);
    why = why ? why : sp_nccl_number(&w->n, x, "device", 0, 0xffff, 0xffff, &device);
    why = why ? why : sp_nccl_number(&w->n, x, "link_width", 0, 32, 0, &lanes);
    if (why)
        return why;
    *p = (struct sp_pci){ .bus = sp_xml_get(x, "busid"), .class = (unsigned)class >> 8,
                          .vendor = (unsigned)vendor, .device = (unsigned)device };
    p->speed = sp_pcie_emulated(p->vendor, p->device)
        ? 0 : sp_pcie_rate(sp_xml_get(x, "link_speed"), (int)lanes);
    return NULL;
}

/* The port above what has that speed. */
static void open_port(struct writing *w, int depth, double speed)
{
    struct sp_pci port = { .class = 0x0604, .vendor = 0xffff, .device = 0xffff, .speed = speed };
    sp_hwlocxml_pci(&w->x, depth, &port, NULL);
}

static void write_gpu(struct writing *w, const struct sp_nccl_device *d, const struct sp_pci *p)
{
    char name[32];
    bool amd = p->vendor == 0x1002 || (d->gpu && sp_xml_get(d->gpu, "gcn"));
    snprintf(name, sizeof name, "%s%d", amd ? "rsmi" : "cuda", d->number);
    long number = sp_hwlocxml_osdev(&w->x, amd ? SP_OSDEV_GPU : SP_OSDEV_COPROC, name,
                                    amd ? "RSMI" : "CUDA");
    struct sp_known_device known;
    if (sp_device_find("gpu", p->vendor, p->device, &known))
        sp_hwlocxml_info(&w->x, "GPUModel", known.name);
    sp_hwlocxml_close(&w->x);
    for (int g = 0; g < w->n.ngpus; g++)
        if (&w->n.device[w->n.gpu[g]] == d)
            w->object[g] = (struct sp_object){ "OSDev", number };
}

/* Was a net of that name in a NIC before this one? Some dumps repeat one under each CPU. */
static bool seen_before(const struct writing *w, const struct sp_xml *net, const char *name)
{
    for (int i = 0; i < w->n.ndevices; i++)
        for (struct sp_xml *x = w->n.device[i].nic ? w->n.device[i].nic->child : NULL; x;
             x = x->next) {
            const char *other = strcmp(x->tag, "net") ? NULL : sp_xml_get(x, "name");
            if (x == net)
                return false;
            if (other && !strcmp(other, name))
                return true;
        }
    return false;
}

/* The rate of a net's ports together: those of the same name in its NIC. */
static const char *rate_of(const struct writing *w, const struct sp_xml *net, const char *name,
                           long *mbps)
{
    *mbps = 0;
    for (const struct sp_xml *x = net; x; x = x->next) {
        const char *other = strcmp(x->tag, "net") ? NULL : sp_xml_get(x, "name");
        long speed;
        if (!other || strcmp(other, name))
            continue;
        const char *why = sp_nccl_number(&w->n, x, "speed", 0, LONG_MAX, 0, &speed);
        if (why)
            return why;
        if (speed > MOST_SPEED)
            fprintf(w->job->notes, "%s:%d: a speed of %ld Mb/s is no network's, and left out\n",
                    w->n.path, x->line, speed);
        else
            *mbps += speed;
    }
    return NULL;
}

static const char *write_net(struct writing *w, const struct sp_xml *net)
{
    const char *name = sp_xml_get(net, "name"), *port = sp_xml_get(net, "port");
    char rate[32];
    long mbps;
    if (!name || !*name)
        return sp_why("%s:%d: net has no name", w->n.path, net->line);
    if (seen_before(w, net, name))
        return NULL;
    const char *why = rate_of(w, net, name, &mbps);
    if (why)
        return why;
    sp_hwlocxml_osdev(&w->x, port && strcmp(port, "0") ? SP_OSDEV_OPENFABRICS : SP_OSDEV_NETWORK,
                      name, NULL);
    snprintf(rate, sizeof rate, "%ld", mbps);
    if (mbps)
        sp_hwlocxml_info(&w->x, "seqpar:RateMbps", rate);
    sp_hwlocxml_close(&w->x);
    return NULL;
}

static const char *write_nic(struct writing *w, const struct sp_nccl_device *d)
{
    const char *why = NULL;
    char name[32];
    if (d->nic && sp_xml_find(d->nic->child, "net")) {
        for (struct sp_xml *x = d->nic->child; x && !why; x = x->next)
            if (!strcmp(x->tag, "net"))
                why = write_net(w, x);
        return why;
    }
    snprintf(name, sizeof name, "nic%d", w->nics++);
    sp_hwlocxml_osdev(&w->x, SP_OSDEV_OPENFABRICS, name, NULL);
    sp_hwlocxml_close(&w->x);
    return NULL;
}

/* A device of the file, its ports and what is behind it; the next ones after it are its own. */
static const char *write_device(struct writing *w, int depth)
{
    const struct sp_nccl_device *d = &w->n.device[w->at++];
    struct sp_pci p = { .class = 0x0200, .vendor = 0xffff, .device = 0xffff };
    const char *why = d->pci ? read_pci(w, d->pci, &p) : NULL;
    if (why || d->kind == SP_NCCL_OTHER)
        return why;
    open_port(w, depth, p.speed);
    if (d->kind == SP_NCCL_BRIDGE) {
        sp_hwlocxml_pci(&w->x, depth + 1, &p, NULL);
        while (!why && w->at < w->n.ndevices && w->n.device[w->at].pci
               && w->n.device[w->at].pci->parent == d->pci)
            why = write_device(w, depth + 2);
    } else {
        sp_hwlocxml_pci(&w->x, 0, &p, NULL);
        if (d->kind == SP_NCCL_GPU)
            write_gpu(w, d, &p);
        else
            why = write_nic(w, d);
    }
    sp_hwlocxml_close(&w->x);
    sp_hwlocxml_close(&w->x);
    return why;
}

static void write_switches(struct writing *w)
{
    sp_hwlocxml_host_bridge(&w->x);
    for (int s = 0; s < w->n.nswitches; s++) {
        struct sp_pci p = { .bus = w->n.nvswitch[s], .class = 0x0680, .vendor = 0x10de,
                            .device = 0xffff };
        open_port(w, 1, 0);
        long number = sp_hwlocxml_pci(&w->x, 0, &p, "NVSwitch");
        w->object[w->n.ngpus + s] = (struct sp_object){ "PCIDev", number };
        sp_hwlocxml_close(&w->x);
        sp_hwlocxml_close(&w->x);
    }
    sp_hwlocxml_close(&w->x);
}

/* ---- all of it ---- */

static const char *write_package(struct writing *w, int cpu)
{
    const char *why = NULL;
    struct sp_span numa = { cpu, 1 };
    long number = sp_hwlocxml_place(&w->x, "Package", cpu, w->core[cpu], numa);
    if (w->n.to_cpu)
        w->object[w->n.ngpus + w->n.nswitches + cpu] = (struct sp_object){ "Package", number };
    write_model(w, w->n.cpu[cpu]);
    write_cores(w, cpu);
    while (!why && w->at < w->n.ndevices && w->n.device[w->at].cpu == cpu) {
        if (w->n.device[w->at].kind == SP_NCCL_OTHER) {
            w->at++;
            continue;
        }
        sp_hwlocxml_host_bridge(&w->x);
        why = write_device(w, 1);
        sp_hwlocxml_close(&w->x);
    }
    if (cpu == 0 && w->n.nswitches)
        write_switches(w);
    sp_hwlocxml_close(&w->x);
    return why;
}

static void write_links(struct writing *w)
{
    size_t values = (size_t)w->n.objects * (size_t)w->n.objects;
    uint64_t *mbps = sp_alloc(values * sizeof *mbps);
    bool any = false;
    for (size_t i = 0; i < values; i++) {
        mbps[i] = (uint64_t)w->n.mbps[i];
        any = any || mbps[i];
    }
    if (any)
        sp_hwlocxml_matrix(&w->x, w->n.xgmi ? "XGMIBandwidth" : "NVLinkBandwidth", w->n.objects,
                           w->object, mbps);
    else if (w->n.ngpus)
        fprintf(w->job->notes, "no links between GPUs are in %s; if there are, a cluster file "
                "can say so: machine NAME topo=FILE nvlink=18x25\n", w->n.path);
    free(mbps);
}

static const char *write_machine(struct writing *w)
{
    const char *why = count_cores(w);
    if (why)
        return why;
    const struct sp_span *last = &w->core[w->n.ncpus - 1];
    sp_hwlocxml_begin(&w->x, w->job->out);
    sp_hwlocxml_place(&w->x, "Machine", 0, (struct sp_span){ 0, last->first + last->n },
                      (struct sp_span){ 0, w->n.ncpus });
    sp_hwlocxml_info(&w->x, "DMIProductName", w->job->name);
    sp_hwlocxml_info(&w->x, "Backend", "NCCL topology");
    for (int i = 0; i < w->n.ncpus && !why; i++)
        why = write_package(w, i);
    sp_hwlocxml_close(&w->x);
    if (why)
        return why;
    write_links(w);
    sp_hwlocxml_end(&w->x);
    return NULL;
}

const char *sp_import_nccl(const struct sp_import *job)
{
    struct writing w = { .job = job };
    const char *why = sp_nccl_read(&w.n, job->in, job->path);
    if (!why) {
        w.object = sp_alloc((size_t)w.n.objects * sizeof *w.object);
        why = write_machine(&w);
    }
    free(w.object);
    sp_nccl_free(&w.n);
    return why;
}
