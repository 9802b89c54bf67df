/* probe.c - hwloc's view of this machine, and what is added to it before it is written.
 *
 * hwloc can't be given PCI devices, so NVSwitches that a virtual machine hides are put into
 * the XML that it writes, as is the matrix of links, whose numbers would else differ by the
 * version of hwloc. */
/* SPDX-License-Identifier: MIT */
#include "topo/probe.h"

#include <dirent.h>
#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

#include "topo/hwlocxml.h"
#include "topo/nvml.h"
#include "topo/strip.h"
#include "util/memory.h"
#include "util/why.h"

enum { NVIDIA = 0x10de, CLASS_SWITCH = 0x0680, MOST_ENDS = 512, TEXT = 4096 };

#if HWLOC_API_VERSION >= 0x00030000
enum { EXPORT_V2 = HWLOC_TOPOLOGY_EXPORT_XML_FLAG_V2 };
#else
enum { EXPORT_V2 = 0 };
#endif

/* An end of NVLinks: a GPU, or a switch. */
struct end { struct sp_bus at; bool hidden; struct sp_object object; };

struct probe {
    hwloc_topology_t t;
    struct sp_nvml nvml;
    struct end end[MOST_ENDS];
    int ngpus, nends;           /* GPUs come first */
    FILE *notes;
    char *within, *after;       /* XML to be added */
};

/* ---- network adapters ------------------------------------------------------------------- */

/* The first line of a file under /sys, or of the copy of it that hwloc is told to read. */
static bool read_sys(char text[static TEXT], const char *form, const char *a, const char *b)
{
    char path[TEXT], under[TEXT];
    const char *root = getenv("HWLOC_FSROOT");
    snprintf(under, sizeof under, form, a, b);
    if (snprintf(path, sizeof path, "%s/sys/class/%s", root ? root : "", under) >= TEXT)
        return false;
    FILE *file = fopen(path, "r");
    bool good = file && fgets(text, TEXT, file);
    if (file)
        fclose(file);
    return good;
}

/* Mb/s of the ports of an InfiniBand adapter that are up: "400 Gb/sec (4X NDR)". */
static double infiniband_rate(const char *name)
{
    char folder[TEXT], text[TEXT];
    const char *root = getenv("HWLOC_FSROOT");
    double total = 0;
    snprintf(folder, sizeof folder, "%s/sys/class/infiniband/%s/ports", root ? root : "", name);
    DIR *ports = opendir(folder);
    for (struct dirent *port; ports && (port = readdir(ports));) {
        double rate;
        if (port->d_name[0] == '.'
            || !read_sys(text, "infiniband/%s/ports/%s/state", name, port->d_name)
            || !strstr(text, "ACTIVE"))
            continue;
        if (read_sys(text, "infiniband/%s/ports/%s/rate", name, port->d_name)
            && sscanf(text, "%lf Gb/sec", &rate) == 1 && rate > 0)
            total += 1000 * rate;
    }
    if (ports)
        closedir(ports);
    return total;
}

static double ethernet_rate(const char *name)
{
    char text[TEXT];
    double rate = read_sys(text, "net/%s/speed%s", name, "") ? strtod(text, NULL) : 0;
    return rate > 0 && rate < 1e8 ? rate : 0;
}

static void add_nic_rates(struct probe *p)
{
    for (hwloc_obj_t o = NULL; (o = hwloc_get_next_osdev(p->t, o));) {
        char text[32];
        if (!o->name || strchr(o->name, '/') || hwloc_obj_get_info_by_name(o, "seqpar:RateMbps"))
            continue;
        double rate = infiniband_rate(o->name);
        rate = rate ? rate : ethernet_rate(o->name);
        snprintf(text, sizeof text, "%.0f", rate);
        if (rate)
            hwloc_obj_add_info(o, "seqpar:RateMbps", text);
    }
}

/* ---- NVLink ----------------------------------------------------------------------------- */

static hwloc_obj_t pci_at(const struct probe *p, struct sp_bus at)
{
    return hwloc_get_pcidev_by_busid(p->t, at.domain, at.bus, at.slot, 0);
}

static int find_end(struct probe *p, const struct sp_nvml_link *link)
{
    for (int i = 0; i < p->nends; i++) {
        const struct end *e = &p->end[i];
        bool same = e->at.domain == link->to.domain && e->at.bus == link->to.bus
                    && e->at.slot == link->to.slot;
        if (link->hidden ? e->hidden : !e->hidden && same)
            return i;
    }
    return -1;
}

static const char *add_gpus(struct probe *p)
{
    for (int i = 0; i < p->nvml.n; i++) {
        const struct sp_nvml_gpu *gpu = &p->nvml.gpu[i];
        hwloc_obj_t pci = pci_at(p, gpu->at);
        char text[32];
        if (!pci)
            return sp_why("GPU %d is not among hwloc's PCI devices: is the package "
                          "libhwloc-plugins installed?", i);
        hwloc_obj_add_info(pci, "GPUModel", gpu->model);
        snprintf(text, sizeof text, "%ld", gpu->mib << 10);
        if (gpu->mib)
            hwloc_obj_add_info(pci, "CUDAGlobalMemorySize", text);
        p->end[p->nends++] = (struct end){
            .at = gpu->at, .object = { "PCIDev", (long)pci->gp_index } };
    }
    p->ngpus = p->nends;
    return NULL;
}

/* What else GPUs are linked to: switches. */
static const char *add_switches(struct probe *p)
{
    for (int i = 0; i < p->ngpus; i++)
        for (int k = 0; k < p->nvml.gpu[i].nlinks; k++) {
            const struct sp_nvml_link *link = &p->nvml.gpu[i].link[k];
            if (find_end(p, link) >= 0)
                continue;
            if (p->nends == MOST_ENDS)
                return sp_why("NVLinks have more than %d ends", MOST_ENDS);
            hwloc_obj_t pci = link->hidden ? NULL : pci_at(p, link->to);
            struct end *e = &p->end[p->nends++];
            *e = (struct end){ .at = link->to, .hidden = link->hidden };
            if (pci)
                e->object = (struct sp_object){ "PCIDev", (long)pci->gp_index };
        }
    return NULL;
}

static long highest_number(hwloc_obj_t o, long highest)
{
    hwloc_obj_t first[] = { o->first_child, o->memory_first_child, o->io_first_child,
                            o->misc_first_child };
    if ((long)o->gp_index > highest)
        highest = (long)o->gp_index;
    for (int i = 0; i < 4; i++)
        for (hwloc_obj_t child = first[i]; child; child = child->next_sibling)
            highest = highest_number(child, highest);
    return highest;
}

/* Switches that hwloc doesn't see, behind a host bridge of their own. */
static void write_switches(struct probe *p, FILE *out)
{
    struct sp_hwlocxml x = {
        .out = out, .depth = 2, .objects = highest_number(hwloc_get_root_obj(p->t), 0) };
    bool any = false;
    for (int i = p->ngpus; i < p->nends; i++) {
        struct sp_pci pci = { .class = CLASS_SWITCH, .vendor = NVIDIA, .device = 0xffff };
        struct sp_pci port = { .class = 0x0604, .vendor = 0xffff, .device = 0xffff };
        if (p->end[i].object.type)
            continue;
        if (!any)
            sp_hwlocxml_host_bridge(&x);
        any = true;
        sp_hwlocxml_pci(&x, 1, &port, NULL);
        long number = sp_hwlocxml_pci(&x, 0, &pci, "NVSwitch");
        p->end[i].object = (struct sp_object){ "PCIDev", number };
        sp_hwlocxml_close(&x);
        sp_hwlocxml_close(&x);
    }
    if (any)
        sp_hwlocxml_close(&x);
}

static void write_matrix(struct probe *p, FILE *out)
{
    struct sp_object object[MOST_ENDS];
    uint64_t *mbps = sp_alloc((size_t)p->nends * (size_t)p->nends * sizeof *mbps);
    int unknown = 0, known = 0;
    for (int i = 0; i < p->nends; i++)
        object[i] = p->end[i].object;
    for (int i = 0; i < p->ngpus; i++)
        for (int k = 0; k < p->nvml.gpu[i].nlinks; k++) {
            const struct sp_nvml_link *link = &p->nvml.gpu[i].link[k];
            int to = find_end(p, link);
            unknown += !link->mbps;
            known += link->mbps > 0;
            mbps[i * p->nends + to] += (uint64_t)link->mbps;
            if (to >= p->ngpus)
                mbps[to * p->nends + i] += (uint64_t)link->mbps;
        }
    struct sp_hwlocxml x = { .out = out, .depth = 1 };
    if (known)
        sp_hwlocxml_matrix(&x, "NVLinkBandwidth", p->nends, object, mbps);
    if (unknown)
        fprintf(p->notes, "%d NVLinks are of a version whose rate is not known: give nvlink= "
                "in a cluster file\n", unknown);
    free(mbps);
}

/* hwloc may have a matrix of its own, right only in some versions. */
static void drop_matrix(struct probe *p)
{
    struct hwloc_distances_s *old;
    unsigned n = 1;
    while (!hwloc_distances_get_by_name(p->t, "NVLinkBandwidth", &n, &old, 0) && n) {
        hwloc_distances_release_remove(p->t, old);
        n = 1;
    }
}

static bool has_nvidia(struct probe *p)
{
    for (hwloc_obj_t o = NULL; (o = hwloc_get_next_pcidev(p->t, o));)
        if (o->attr->pcidev.vendor_id == NVIDIA && o->attr->pcidev.class_id >> 8 == 3)
            return true;
    return false;
}

static const char *add_nvlinks(struct probe *p)
{
    const char *why = sp_nvml_read(&p->nvml);
    if (why) {
        if (has_nvidia(p))
            fprintf(p->notes, "NVLinks are left out: %s\n", why);
        return NULL;
    }
    why = add_gpus(p);
    why = why ? why : add_switches(p);
    if (why)
        return why;
    drop_matrix(p);
    size_t bytes;
    FILE *within = open_memstream(&p->within, &bytes);
    write_switches(p, within);
    fclose(within);
    FILE *after = open_memstream(&p->after, &bytes);
    if (p->nends)
        write_matrix(p, after);
    fclose(after);
    return NULL;
}

/* ---- all of it -------------------------------------------------------------------------- */

static const char *look(struct probe *p)
{
    hwloc_topology_set_flags(p->t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_set_io_types_filter(p->t, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (hwloc_topology_load(p->t))
        return sp_why("hwloc can't look at this machine: %s", strerror(errno));
    add_nic_rates(p);
    return add_nvlinks(p);
}

static const char *write_all(struct probe *p, FILE *out)
{
    char *xml;
    int length;
    if (hwloc_topology_export_xmlbuffer(p->t, &xml, &length, EXPORT_V2))
        return sp_why("hwloc can't write XML: %s", strerror(errno));
    sp_strip(xml, p->within ? p->within : "", p->after ? p->after : "", out);
    hwloc_free_xmlbuffer(p->t, xml);
    return NULL;
}

const char *sp_probe_write(FILE *out, FILE *notes)
{
    struct probe *p = sp_alloc(sizeof *p);
    p->notes = notes;
    if (hwloc_topology_init(&p->t)) {
        free(p);
        return "hwloc can't start";
    }
    const char *why = look(p);
    why = why ? why : write_all(p, out);
    hwloc_topology_destroy(p->t);
    free(p->nvml.gpu);
    free(p->within);
    free(p->after);
    free(p);
    return why;
}
