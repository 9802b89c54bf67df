/* import_slurm.c - Slurm's topology.conf as a cluster file.
 *
 * Slurm knows which nodes are below which switch, and which share an NVLink domain (a block).
 * Which NICs a node has and their rates come from the machines' own files. How many cables
 * lead up from a switch is nowhere: as many as lead down are assumed, and it is said. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "topo/devices.h"
#include "topo/inventory.h"
#include "topo/kinds.h"
#include "topo/slurm.h"
#include "topo/units.h"
#include "util/memory.h"
#include "util/why.h"

struct machine {
    struct sp_inventory *inventory;
    bool used;
    int *nic, nnics;            /* devices of the inventory */
    double rate;                /* of one NIC: the fastest */
    char links[32];             /* of its GPUs, out of the machine: "18x50"; "": none known */
};

struct slurm {
    const struct sp_import *job;
    struct sp_kinds kinds;
    struct sp_slurm s;
    struct machine *machine;
    double rate;                /* --rate; 0: none */
    char **host; int nhosts;    /* of all switches and blocks, each once */
};

/* ---- machines --------------------------------------------------------------------------- */

/* The NICs of fast networks; of a machine without any, all it has. */
static void find_nics(struct machine *m)
{
    const struct sp_inventory *v = m->inventory;
    bool fast = false;
    for (int i = 0; i < v->ndevices; i++)
        fast = fast || (v->device[i].kind == SP_DEVICE_NIC && v->device[i].fast);
    m->nic = sp_alloc((size_t)v->ndevices * sizeof *m->nic);
    for (int i = 0; i < v->ndevices; i++) {
        const struct sp_device *d = &v->device[i];
        struct sp_known_device known = { 0 };
        if (d->kind == SP_DEVICE_GPU && sp_device_find("gpu", d->vendor, d->device, &known))
            memcpy(m->links, known.links, sizeof m->links);
        if (d->kind != SP_DEVICE_NIC || d->fast != fast)
            continue;
        m->nic[m->nnics++] = i;
        if (!d->rate)
            sp_device_find("nic", d->vendor, d->device, &known);
        double rate = d->rate ? d->rate : known.rate;
        m->rate = rate > m->rate ? rate : m->rate;
    }
    if (v->npairs)              /* all links are within */
        m->links[0] = '\0';
}

static const char *read_machine(struct slurm *w, int at)
{
    struct machine *m = &w->machine[at];
    const char *why, *topo = w->job->machine[at].topo;
    m->used = true;
    m->inventory = sp_inventory_read(topo, &why);
    if (!m->inventory)
        return sp_why("--machine: %s", why);
    find_nics(m);
    if (w->rate)
        m->rate = w->rate;
    if (!m->nnics)
        return sp_why("--machine: %s has no NIC", topo);
    if (!m->rate)
        return sp_why("--machine: %s does not say how fast its NICs are: add --rate, as in "
                      "--rate 400Gb/s", topo);
    return NULL;
}

/* ---- hosts ------------------------------------------------------------------------------ */

static const char *add_hosts(struct slurm *w, struct sp_names *known,
                             const struct sp_slurm_entry *e)
{
    const char *why = NULL;
    for (int i = 0; i < e->nodes.n && !why; i++) {
        int m = sp_kinds_find(&w->kinds, e->nodes.at[i]);
        if (m < 0 || !sp_names_add(known, e->nodes.at[i], 0))
            continue;
        if (!w->machine[m].used)
            why = read_machine(w, m);
        w->host = sp_grow(w->host, w->nhosts, sizeof *w->host);
        w->host[w->nhosts++] = e->nodes.at[i];
    }
    return why;
}

static const char *find_hosts(struct slurm *w)
{
    struct sp_names known = { 0 };
    const char *why = w->job->rate ? sp_parse_rate(w->job->rate, &w->rate) : NULL;
    if (why)
        return sp_why("--rate: %s", why);
    for (int i = 0; i < w->s.nswitches && !why; i++)
        why = add_hosts(w, &known, &w->s.sw[i]);
    for (int i = 0; i < w->s.nblocks && !why; i++)
        why = add_hosts(w, &known, &w->s.block[i]);
    sp_names_free(&known);
    if (!why && !w->nhosts)
        why = sp_why("%s has no host that a --machine names", w->job->path);
    return why;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void write_rate(FILE *out, double rate)
{
    fprintf(out, " rate=%gGb/s\n", rate / 125e6);
}

/* Links of switch `at` to what is below it. Returns the rate of all NICs down there; *nic is
 * raised to that of the fastest. */
static double write_below(const struct slurm *w, int at, double *nic)
{
    const struct sp_slurm_entry *e = &w->s.sw[at];
    double total = 0;
    for (int i = 0; i < e->nodes.n; i++) {
        int kind = sp_kinds_find(&w->kinds, e->nodes.at[i]);
        const struct machine *m = kind < 0 ? NULL : &w->machine[kind];
        for (int k = 0; m && k < m->nnics; k++) {
            const char *name = m->inventory->device[m->nic[k]].names;
            fprintf(w->job->out, "link    %s %s:%.*s", e->name, e->nodes.at[i],
                    (int)strcspn(name, ","), name);
            write_rate(w->job->out, m->rate);
            total += m->rate;
            *nic = m->rate > *nic ? m->rate : *nic;
        }
    }
    for (int i = 0; i < e->nbelow; i++) {
        double fastest = 0, below = write_below(w, e->below[i], &fastest);
        if (!below)
            continue;
        fprintf(w->job->out, "link    %s %s count=%.0f", w->s.sw[e->below[i]].name, e->name,
                below / fastest);
        write_rate(w->job->out, fastest);
        total += below;
        *nic = fastest > *nic ? fastest : *nic;
    }
    return total;
}

static void write_tree(const struct slurm *w)
{
    fputs("# Slurm does not say how many cables lead up: as many as lead down are assumed.\n",
          w->job->out);
    fputs("how many cables lead up is not in the file: as many as lead down are assumed\n",
          w->job->notes);
    for (int i = 0; i < w->s.nswitches; i++) {
        const struct sp_slurm_entry *e = &w->s.sw[i];
        bool over_leaves = e->nbelow && w->s.sw[e->below[0]].nodes.n;
        fprintf(w->job->out, "switch  %s tier=%s\n", e->name,
                e->nodes.n ? "leaf" : over_leaves ? "spine" : "core");
    }
    for (int i = 0; i < w->s.nswitches; i++) {
        double nic = 0;
        if (!w->s.sw[i].above)
            write_below(w, i, &nic);
    }
}

/* Which links the GPUs of a block have is known by their model. */
static void write_block(const struct slurm *w, const struct sp_slurm_entry *e)
{
    int m = sp_kinds_find(&w->kinds, e->nodes.at[0]), links;
    double rate;
    if (m < 0)
        return;
    if (sscanf(w->machine[m].links, "%dx%lf", &links, &rate) != 2) {
        fprintf(w->job->notes, "block %s is left out: the GPUs of %s have no NVLinks that lead "
                "out of a machine\n", e->name, w->job->machine[m].topo);
        return;
    }
    fprintf(w->job->out, "nvlink  %s nodes=", e->name);
    sp_hosts_write(w->job->out, e->nodes.at, e->nodes.n);
    fprintf(w->job->out, " links=%d rate=%gGB/s\n", links, rate);
}

static void write_blocks(const struct slurm *w)
{
    for (int i = 0; i < w->s.nblocks; i++)
        write_block(w, &w->s.block[i]);
    if (w->s.nblocks && !w->s.nswitches) {
        fputs("# What is between blocks is not in the file: one switch for all is assumed.\n"
              "fabric  net rails=1 spines=0\n", w->job->out);
        fputs("what is between blocks is not in the file: one switch for all is assumed\n",
              w->job->notes);
    }
}

static void write_cluster(struct slurm *w)
{
    bool *used = sp_alloc((size_t)w->job->nmachines * sizeof *used);
    for (int m = 0; m < w->job->nmachines; m++)
        used[m] = w->machine[m].used;
    fprintf(w->job->out, "# %s, from Slurm's topology.conf: %d hosts\n", w->job->name,
            w->nhosts);
    sp_kinds_write(&w->kinds, used);
    free(used);
    sp_nodes_write(&w->kinds, w->host, w->nhosts);
    write_blocks(w);
    if (w->s.nswitches)
        write_tree(w);
}

const char *sp_import_slurm(const struct sp_import *job)
{
    struct slurm w = { .job = job };
    w.machine = sp_alloc((size_t)job->nmachines * sizeof *w.machine);
    const char *why = sp_kinds_read(&w.kinds, job);
    why = why ? why : sp_slurm_read(&w.s, job->in, job->path);
    why = why ? why : find_hosts(&w);
    if (!why)
        write_cluster(&w);
    for (int m = 0; m < job->nmachines; m++) {
        if (w.machine[m].inventory)
            sp_inventory_free(w.machine[m].inventory);
        free(w.machine[m].nic);
    }
    free(w.machine);
    free(w.host);
    sp_slurm_free(&w.s);
    sp_kinds_free(&w.kinds);
    return why;
}
