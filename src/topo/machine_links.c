/* machine_links.c - links between GPUs: as the cluster file says, or the matrix in the
 * machine's file, or the model's if its NVSwitches are seen. Never by guessing. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/devices.h"
#include "topo/machine.h"
#include "topo/units.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/why.h"

enum { AMD = 0x1002, NOT_SAID = 0xffff };    /* vendors */

static const char *join(struct sp_mould *m, const struct sp_machine_spec *spec,
                        enum sp_link_kind kind, int from, int to, double rate,
                        const char *source)
{
    sp_mould_link(m, spec, kind, from, to, rate, source);
    m->linked = true;
    return NULL;
}

/* "18x25": links and the rate of each. NULL, or why not. */
static const char *read_links(const char *text, int *links, double *rate)
{
    char count[16];
    const char *x = strchr(text, 'x');
    long n;
    if (!x || x == text || (size_t)(x - text) >= sizeof count)
        return sp_why("\"%s\" is not a number of links and the rate of each, such as 18x25",
                      text);
    snprintf(count, sizeof count, "%.*s", (int)(x - text), text);
    const char *why = sp_parse_size(count, 1, 1024, &n);
    *links = (int)n;
    return why ? why : sp_parse_rate(x + 1, rate);
}

/* Every GPU to one switch, or every pair: "18x25", "mesh:4x25". */
static const char *by_text(struct sp_mould *m, const struct sp_machine_spec *spec,
                           const char *text, enum sp_link_kind kind, const char *source)
{
    int links;
    double rate;
    bool mesh = !strncmp(text, "mesh:", 5);
    const char *why = read_links(mesh ? text + 5 : text, &links, &rate);
    if (why)
        return sp_why("machine %s: nvlink=: %s", spec->name, why);
    int hub = mesh ? -1 : sp_mould_vertex(m, SP_NVSWITCH, "nvs");
    for (int i = 0; i < m->gpus; i++) {
        if (!mesh)
            join(m, spec, kind, m->endpoint[i], hub, links * rate, source);
        for (int j = i + 1; mesh && j < m->gpus; j++)
            join(m, spec, kind, m->endpoint[i], m->endpoint[j], links * rate, source);
    }
    return NULL;
}

/* The matrix. All NVSwitches are one vertex: links to them are striped over. */
static void by_matrix(struct sp_mould *m, const struct sp_machine_spec *spec,
                      const struct sp_inventory *v, const int *gpu, const int *numa)
{
    int *at = sp_alloc((size_t)v->ndevices * sizeof *at);       /* GPU + 1 */
    double *hub_rate = sp_alloc((size_t)m->gpus * sizeof *hub_rate);
    bool switched = false;
    for (int i = 0; i < m->gpus; i++)
        at[gpu[i]] = i + 1;
    for (int i = 0; i < v->npairs; i++) {
        const struct sp_pair *p = &v->pair[i];
        enum sp_link_kind kind = p->xgmi ? SP_LINK_XGMI : SP_LINK_NVLINK;
        int from = p->from < 0 ? 0 : at[p->from], to = p->to < 0 ? 0 : at[p->to];
        bool from_switch = p->from >= 0 && v->device[p->from].kind == SP_DEVICE_NVSWITCH;
        bool to_switch = p->to >= 0 && v->device[p->to].kind == SP_DEVICE_NVSWITCH;
        if (from && to)
            join(m, spec, kind, m->endpoint[from - 1], m->endpoint[to - 1], p->rate, "hwloc");
        else if (from && p->to < 0)
            sp_mould_link(m, spec, kind, m->endpoint[from - 1], numa[-1 - p->to], p->rate,
                          "hwloc");
        else if ((from && to_switch) || (to && from_switch))
            hub_rate[(from ? from : to) - 1] += p->rate;
        switched |= (from && to_switch) || (to && from_switch);
    }
    int hub = switched ? sp_mould_vertex(m, SP_NVSWITCH, "nvs") : -1;
    for (int i = 0; i < m->gpus; i++)
        if (hub_rate[i] > 0)
            join(m, spec, SP_LINK_NVLINK, m->endpoint[i], hub, hub_rate[i], "hwloc");
    free(at);
    free(hub_rate);
}

static void c2c(struct sp_mould *m, const struct sp_machine_spec *spec,
                const struct sp_inventory *v, const int *gpu, const int *numa)
{
    for (int i = 0; i < m->gpus && spec->c2c > 0; i++)
        sp_mould_link(m, spec, SP_LINK_C2C, m->endpoint[i], numa[v->device[gpu[i]].numa],
                      spec->c2c, "cluster file");
}

/* The sentence about GPUs whose links are not in the file, with what it could be. */
static char *say_missing(const struct sp_machine_spec *spec, const struct sp_known_device *known,
                         int gpus, bool xgmi)
{
    char mesh[64] = "";
    int links = 0;
    double rate = 0;
    read_links(known->links, &links, &rate);
    if (links / (gpus - 1) > 0)
        snprintf(mesh, sizeof mesh, "nvlink=mesh:%dx%g (each pair), ", links / (gpus - 1),
                 rate / 1e9);
    return strdup(sp_why(
        "machine %s: its file has no %s between its %d GPUs, which %s has; say how they are "
        "linked, on its line in a cluster file: %snvlink=%s (switches), or nvlink=none",
        spec->name, xgmi ? "xGMI" : "NVLink", gpus, known->name, mesh, known->links));
}

const char *sp_mould_connect(struct sp_mould *m, const struct sp_machine_spec *spec,
                             const struct sp_inventory *v, const int *gpu, const int *numa)
{
    const struct sp_device *first = &v->device[gpu[0]];
    enum sp_link_kind kind = first->vendor == AMD ? SP_LINK_XGMI : SP_LINK_NVLINK;
    struct sp_known_device known;
    bool switches = false;
    for (int i = 0; i < v->ndevices; i++)
        switches |= v->device[i].kind == SP_DEVICE_NVSWITCH;
    c2c(m, spec, v, gpu, numa);
    if (spec->nvlink && !strcmp(spec->nvlink, "none"))
        return NULL;
    if (spec->nvlink)
        return by_text(m, spec, spec->nvlink, kind, "cluster file");
    by_matrix(m, spec, v, gpu, numa);
    if (m->linked || m->gpus < 2)
        return NULL;
    if (!sp_device_find("gpu", first->vendor, first->device, &known) && first->vendor == NOT_SAID)
        m->missing = strdup(sp_why(
            "machine %s: its file has neither the model of its %d GPUs nor links between them; "
            "say how they are linked, on its line in a cluster file: nvlink=18x25 (switches), "
            "nvlink=mesh:4x25 (each pair), or nvlink=none", spec->name, m->gpus));
    if (!*known.links)
        return NULL;
    if (switches)
        return by_text(m, spec, known.links, kind, "device table");
    m->missing = say_missing(spec, &known, m->gpus, kind == SP_LINK_XGMI);
    return NULL;
}
