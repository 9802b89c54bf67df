/* hwloc.c - from hwloc's tree to an inventory.
 *
 * hwloc drops devices unless told to keep them, gives OS devices types that depend on its
 * version (so names count), and lists PCI devices in an order that isn't CUDA's. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "topo/hwloc_compat.h"
#include "topo/inventory.h"
#include "topo/probe.h"
#include "util/memory.h"
#include "util/why.h"

enum { NVIDIA = 0x10de, AMD = 0x1002, INTEL = 0x8086, MAX_DEVICES = 4096, PATIENCE = 60 };

struct reader {
    hwloc_topology_t t;
    struct sp_inventory *v;
    hwloc_obj_t *object;        /* of each device */
    int *numa;                  /* by logical index of hwloc: index in v->numa, or -1 */
};

/* ---- devices --------------------------------------------------------------------------- */

static bool begins(const char *name, const char *prefix)
{
    return name && !strncmp(name, prefix, strlen(prefix));
}

/* cuda3 and nvml3 are GPU 3; -1: not such a name. */
static int gpu_number(const char *name)
{
    static const char *const prefix[] = { "cuda", "nvml", "rsmi", "ze", NULL };
    for (int i = 0; prefix[i]; i++) {
        size_t n = strlen(prefix[i]);
        if (begins(name, prefix[i]) && isdigit((unsigned char)name[n]))
            return (int)strtol(name + n, NULL, 10) & 0xffff;
    }
    return -1;
}

static bool is_gpu(hwloc_obj_t pci)
{
    unsigned class = pci->attr->pcidev.class_id, vendor = pci->attr->pcidev.vendor_id;
    for (hwloc_obj_t os = pci->io_first_child; os; os = os->next_sibling)
        if (os->type == HWLOC_OBJ_OS_DEVICE && gpu_number(os->name) >= 0)
            return true;
    switch (class) {
    case 0x0302: return true;
    case 0x0300: return vendor == NVIDIA;       /* others: the console's, in every server */
    case 0x0380:
    case 0x1200: return vendor == NVIDIA || vendor == AMD || vendor == INTEL;
    default:     return false;
    }
}

/* Names of fast networks, whatever type hwloc gives them: EFA, Omni-Path, Slingshot, BXI. */
static bool is_fast(hwloc_obj_t os)
{
    static const char *const prefix[] = {
        "mlx4_", "mlx5_", "rdmap", "efa", "hfi", "opa", "hsi", "cxi", "bxi", "bnxt_re", NULL };
    for (int i = 0; prefix[i]; i++)
        if (begins(os->name, prefix[i]))
            return true;
    return sp_hwloc_is_infiniband(os) && !begins(os->name, "eth") && !begins(os->name, "en");
}

static bool is_net(hwloc_obj_t os)
{
    return os->type == HWLOC_OBJ_OS_DEVICE && os->name
        && (is_fast(os) || sp_hwloc_is_infiniband(os) || sp_hwloc_is_network(os));
}

static enum sp_device_kind kind_of(hwloc_obj_t pci, bool *known)
{
    *known = true;
    if (is_gpu(pci))
        return SP_DEVICE_GPU;
    if (pci->attr->pcidev.vendor_id == NVIDIA && pci->attr->pcidev.class_id == 0x0680)
        return SP_DEVICE_NVSWITCH;
    for (hwloc_obj_t os = pci->io_first_child; os; os = os->next_sibling)
        if (is_net(os))
            return SP_DEVICE_NIC;
    *known = pci->attr->pcidev.class_id == 0x0207;      /* InfiniBand, without its driver */
    return SP_DEVICE_NIC;
}

/* Appends a name; the fast one to the front. */
static void add_name(struct sp_device *d, const char *name, bool first)
{
    char *old = d->names, *all;
    if (asprintf(&all, first && *old ? "%s,%s" : *old ? "%2$s,%1$s" : "%s", name, old) < 0)
        all = strdup(name);
    free(old);
    d->names = all;
}

/* KiB, whichever library saw the GPU; 0: none did. */
static double memory_of(hwloc_obj_t os)
{
    static const char *const name[] = { "CUDAGlobalMemorySize", "RSMIVRAMSize", NULL };
    for (int i = 0; name[i]; i++) {
        const char *text = hwloc_obj_get_info_by_name(os, name[i]);
        double kib = text ? strtod(text, NULL) : 0;
        if (kib > 0 && kib < 1e12)
            return kib;
    }
    return 0;
}

static void describe_gpu(struct sp_device *d, hwloc_obj_t pci)
{
    const char *probed = hwloc_obj_get_info_by_name(pci, "GPUModel");
    d->order = -1;
    if (probed) {
        free(d->model);
        d->model = strdup(probed);
    }
    for (hwloc_obj_t os = pci->io_first_child; os; os = os->next_sibling) {
        int order = os->type == HWLOC_OBJ_OS_DEVICE ? gpu_number(os->name) : -1;
        const char *model = hwloc_obj_get_info_by_name(os, "GPUModel");
        if (order >= 0 && (d->order < 0 || order < d->order || begins(os->name, "cuda")))
            d->order = order;
        if (model && !*d->model) {
            free(d->model);
            d->model = strdup(model);
        }
        d->memory = fmax(d->memory, memory_of(os) * 1024);
    }
}

static void describe_nic(struct sp_device *d, hwloc_obj_t pci)
{
    for (hwloc_obj_t os = pci->io_first_child; os; os = os->next_sibling) {
        if (!is_net(os))
            continue;
        bool fast = is_fast(os);
        add_name(d, os->name, fast && !d->fast);
        d->fast |= fast;
        const char *rate = hwloc_obj_get_info_by_name(os, "seqpar:RateMbps");
        double mbps = rate ? strtod(rate, NULL) : 0;
        if (mbps > d->rate / 125e3 && mbps < 1e9)
            d->rate = mbps * 125e3;
    }
    if (!*d->names) {
        add_name(d, d->bus, true);
        d->fast = true;
    }
}

static int numa_of(const struct reader *r, hwloc_const_bitmap_t nodeset)
{
    int best = -1;
    for (hwloc_obj_t n = NULL; (n = hwloc_get_next_obj_by_type(r->t, HWLOC_OBJ_NUMANODE, n));)
        if (r->numa[n->logical_index] >= 0 && nodeset
            && hwloc_bitmap_isset(nodeset, n->os_index)
            && (best < 0 || r->numa[n->logical_index] < best))
            best = r->numa[n->logical_index];
    return best < 0 ? 0 : best;
}

static int add_device(struct reader *r, hwloc_obj_t o, int parent, enum sp_device_kind kind)
{
    struct sp_inventory *v = r->v;
    const struct hwloc_pcidev_attr_s *pci = o->type == HWLOC_OBJ_BRIDGE
        ? &o->attr->bridge.upstream.pci : &o->attr->pcidev;
    r->object = sp_grow(r->object, v->ndevices, sizeof *r->object);
    r->object[v->ndevices] = o;
    v->device = sp_grow(v->device, v->ndevices, sizeof *v->device);
    struct sp_device *d = &v->device[v->ndevices];
    *d = (struct sp_device){
        .kind = kind, .parent = parent, .vendor = pci->vendor_id, .device = pci->device_id,
        .numa = numa_of(r, hwloc_get_non_io_ancestor_obj(r->t, o)->nodeset),
        .depth = kind == SP_DEVICE_BRIDGE ? (int)o->attr->bridge.depth : 0,
        .speed = pci->linkspeed > 0 && pci->linkspeed < 1e4 ? pci->linkspeed * 1e9 : 0,
        .names = strdup(""), .model = strdup(""), .order = -1,
    };
    snprintf(d->bus, sizeof d->bus, "%04x:%02x:%02x.%x", pci->domain & 0xffffffffu,
             pci->bus & 0xffu, pci->dev & 0xffu, pci->func & 0xfu);
    if (kind == SP_DEVICE_GPU)
        describe_gpu(d, o);
    if (kind == SP_DEVICE_NIC)
        describe_nic(d, o);
    return v->ndevices++;
}

/* Whether all below o fits. */
static bool walk(struct reader *r, hwloc_obj_t o, int parent)
{
    bool known = false;
    if (r->v->ndevices == MAX_DEVICES)
        return false;
    if (o->type == HWLOC_OBJ_BRIDGE
        && o->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_PCI) {
        parent = add_device(r, o, parent, SP_DEVICE_BRIDGE);
    } else if (o->type == HWLOC_OBJ_PCI_DEVICE) {
        enum sp_device_kind kind = kind_of(o, &known);
        if (known)
            add_device(r, o, parent, kind);
        return true;
    }
    for (hwloc_obj_t c = o->first_child; c; c = c->next_sibling)
        if (!walk(r, c, -1))
            return false;
    for (hwloc_obj_t c = o->io_first_child; c; c = c->next_sibling)
        if (!walk(r, c, parent))
            return false;
    return true;
}

/* ---- processors and GPU links ------------------------------------------------------------ */

static void read_numa(struct reader *r)
{
    struct sp_inventory *v = r->v;
    int n = hwloc_get_nbobjs_by_type(r->t, HWLOC_OBJ_NUMANODE);
    r->numa = sp_alloc(((size_t)n + 1) * sizeof *r->numa);
    v->numa = sp_alloc(((size_t)n + 1) * sizeof *v->numa);
    for (int i = 0; i < n; i++) {
        hwloc_obj_t o = hwloc_get_obj_by_type(r->t, HWLOC_OBJ_NUMANODE, (unsigned)i);
        hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(r->t, HWLOC_OBJ_PACKAGE, o);
        r->numa[i] = -1;
        if (o->cpuset && hwloc_bitmap_iszero(o->cpuset))
            continue;                   /* memory alone: HBM, CXL, a GPU's own */
        r->numa[i] = v->nnuma;
        v->numa[v->nnuma++] = package ? (int)package->logical_index : 0;
    }
    if (!v->nnuma)
        v->nnuma = 1;
}

static void read_cores(struct reader *r)
{
    struct sp_inventory *v = r->v;
    hwloc_obj_type_t type = HWLOC_OBJ_CORE;
    v->cores = hwloc_get_nbobjs_by_type(r->t, type);
    if (v->cores < 1) {
        type = HWLOC_OBJ_PU;
        v->cores = hwloc_get_nbobjs_by_type(r->t, type);
    }
    v->core = sp_alloc((size_t)v->cores * sizeof *v->core);
    for (int i = 0; i < v->cores; i++)
        v->core[i] = numa_of(r, hwloc_get_obj_by_type(r->t, type, (unsigned)i)->nodeset);
    hwloc_obj_t package = hwloc_get_obj_by_type(r->t, HWLOC_OBJ_PACKAGE, 0);
    const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
    if (!model)
        model = hwloc_obj_get_info_by_name(hwloc_get_root_obj(r->t), "CPUModel");
    v->cpu = strdup(model ? model : "");
}

enum { NOBODY = -1000000 };

/* The device that an object of a matrix belongs to; -1 - NUMA node: a processor. */
static int device_of(const struct reader *r, hwloc_obj_t o)
{
    while (o && o->type == HWLOC_OBJ_OS_DEVICE)
        o = o->parent;
    for (int i = 0; o && i < r->v->ndevices; i++)
        if (r->object[i] == o)
            return i;
    return o && o->nodeset ? -1 - numa_of(r, o->nodeset) : NOBODY;
}

static void add_pair(struct sp_inventory *v, int from, int to, double rate, bool xgmi)
{
    if (rate <= 0 || rate > 1e15 || from == to || from == NOBODY || to == NOBODY)
        return;
    v->pair = sp_grow(v->pair, v->npairs, sizeof *v->pair);
    v->pair[v->npairs++] = (struct sp_pair){
        .from = from < 0 ? to : from, .to = from < 0 ? from : to, .rate = rate, .xgmi = xgmi };
}

/* Matrices are in MB/s, and each direction is an entry: the larger one counts. */
static void read_pairs(struct reader *r, const char *name, bool xgmi)
{
    struct hwloc_distances_s *d;
    unsigned n = 1;
    if (hwloc_distances_get_by_name(r->t, name, &n, &d, 0) || !n)
        return;
    int *at = sp_alloc(d->nbobjs * sizeof *at);
    for (unsigned i = 0; i < d->nbobjs; i++)
        at[i] = device_of(r, d->objs[i]);
    for (unsigned i = 0; i < d->nbobjs; i++)
        for (unsigned j = i + 1; j < d->nbobjs; j++) {
            hwloc_uint64_t there = d->values[i * d->nbobjs + j];
            hwloc_uint64_t back = d->values[j * d->nbobjs + i];
            add_pair(r->v, at[i], at[j], 1e6 * (double)(there > back ? there : back), xgmi);
        }
    free(at);
    hwloc_distances_release(r->t, d);
}

/* ---- files ------------------------------------------------------------------------------- */

/* What is wrong with a file that hwloc won't have. */
static const char *refused(const char *path)
{
    char head[1025] = "";
    FILE *f = fopen(path, "r");
    if (!f)
        return sp_why("%s: %s", path, strerror(errno));
    size_t got = fread(head, 1, sizeof head - 1, f);
    fclose(f);
    head[got] = '\0';
    const char *at = strstr(head, "<topology");
    if (!at)
        return sp_why("%s: is no hwloc XML, as lstopo writes it", path);
    if ((at = strstr(at, "version=\"")) && strtol(at + 9, NULL, 10) > HWLOC_API_VERSION >> 16)
        return sp_why("%s: is XML of hwloc %ld, this seqpar has hwloc %d; export it for hwloc "
                      "2: lstopo --export-xml-flags v2 FILE.xml", path,
                      strtol(at + 9, NULL, 10), HWLOC_API_VERSION >> 16);
    return sp_why("%s: hwloc can't read it: the XML is damaged or cut off", path);
}

static const char *load(hwloc_topology_t t, const char *path)
{
    setenv("HWLOC_HIDE_ERRORS", "2", 0);
    hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_set_io_types_filter(t, HWLOC_TYPE_FILTER_KEEP_ALL);
    return hwloc_topology_set_xml(t, path) || hwloc_topology_load(t) ? refused(path) : NULL;
}

/* This machine: hwloc alone doesn't know its NVLinks and rates of NICs. */
static const char *load_probed(hwloc_topology_t t)
{
    char *xml, *notes;
    size_t bytes, note_bytes;
    FILE *out = open_memstream(&xml, &bytes), *aside = open_memstream(&notes, &note_bytes);
    const char *why = sp_probe_write(out, aside);
    fclose(out);
    fclose(aside);
    hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_set_io_types_filter(t, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (!why && (hwloc_topology_set_xmlbuffer(t, xml, (int)bytes + 1) || hwloc_topology_load(t)))
        why = sp_why("hwloc can't look at this machine: %s", strerror(errno));
    free(xml);
    free(notes);
    return why;
}

static struct sp_inventory *read_inventory(const char *path, const char **why)
{
    struct reader r = { 0 };
    if (hwloc_topology_init(&r.t)) {
        *why = "hwloc can't start";
        return NULL;
    }
    if (!(*why = path ? load(r.t, path) : load_probed(r.t))) {
        r.v = sp_alloc(sizeof *r.v);
        read_numa(&r);
        read_cores(&r);
        if (walk(&r, hwloc_get_root_obj(r.t), -1)) {
            read_pairs(&r, "NVLinkBandwidth", false);
            read_pairs(&r, "XGMIBandwidth", true);
        } else {
            *why = sp_why("%s: more than %d bridges and devices", path ? path : "this machine",
                          MAX_DEVICES);
            sp_inventory_free(r.v);
            r.v = NULL;
        }
    }
    hwloc_topology_destroy(r.t);
    free(r.object);
    free(r.numa);
    return r.v;
}

/* The child's part: reads the file, and sends the sentence if there is one. A crash ends it,
 * whatever the program does about its own. */
static void try(const char *path, int to)
{
    static const int ends[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM };
    const char *why;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], SIG_DFL);
    if (!freopen("/dev/null", "w", stderr))
        _exit(1);
    alarm(PATIENCE);
    if (!read_inventory(path, &why))
        _exit(write(to, why, strlen(why)) < 0);
    _exit(0);
}

/* What is wrong with a file, or NULL. hwloc trusts XML: a damaged file can crash it, and one
 * that it refuses is not all freed. So a child tries first. */
static const char *tried(const char *path)
{
    char text[512];
    int status, end[2];
    pid_t child;
    size_t n = 0;
    if (pipe(end))
        return sp_why("%s: no pipe: %s", path, strerror(errno));
    if ((child = fork()) < 0)
        return sp_why("%s: no process to read it: %s", path, strerror(errno));
    if (!child)
        try(path, end[1]);
    close(end[1]);
    for (ssize_t got; n < sizeof text - 1; n += (size_t)got)
        if ((got = read(end[0], text + n, sizeof text - 1 - n)) <= 0)
            break;
    text[n] = '\0';
    close(end[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (n)
        return sp_why("%s", text);
    return WIFEXITED(status) && !WEXITSTATUS(status) ? NULL
        : sp_why("%s: hwloc can't read it: the XML makes no sense", path);
}

struct sp_inventory *sp_inventory_read(const char *path, const char **why)
{
    if (path && (*why = tried(path)))
        return NULL;
    return read_inventory(path, why);
}
