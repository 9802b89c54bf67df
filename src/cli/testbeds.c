/* testbeds.c - from hardware, GPUs and links of a row to files of ours. */
/* SPDX-License-Identifier: MIT */
#include "cli/testbeds.h"

#include <stdlib.h>
#include <string.h>

#include "cli/venue.h"
#include "util/data.h"
#include "util/memory.h"
#include "util/why.h"

/* What is given for all rows must make sense; what aliases name concerns some of them. */
static const char *check(const char *cluster, const char *profile)
{
    const char *why = NULL;
    if (cluster && !strstr(cluster, "{nodes}"))
        sp_topo_free(sp_venue_topo(cluster, &why));
    if (why)
        return sp_why("--cluster: %s", why);
    if (profile)
        sp_profile_free(sp_profile_load(profile, &why));
    return why ? sp_why("--profile: %s", why) : NULL;
}

struct sp_testbeds *sp_testbeds_new(const char *cluster, const char *profile,
                                    const char *aliases, const char **why)
{
    struct sp_testbeds *b = sp_alloc(sizeof *b);
    *b = (struct sp_testbeds){ .cluster = cluster, .profile = profile };
    *why = check(cluster, profile);
    if (!*why && !(cluster && profile))
        b->aliases = sp_aliases_load(aliases ? aliases : sp_data_own(".", "aliases"), why);
    if (!*why)
        return b;
    free(b);
    return NULL;
}

void sp_testbeds_free(struct sp_testbeds *b)
{
    for (int i = 0; i < b->n; i++) {
        free(b->bed[i]->cluster);
        free(b->bed[i]->model);
        free(b->bed[i]->why);
        sp_topo_free(b->bed[i]->topo);
        sp_profile_free(b->bed[i]->profile);
        free(b->bed[i]);
    }
    free(b->bed);
    sp_aliases_free(b->aliases);
    free(b);
}

static const struct sp_testbed *load(struct sp_testbeds *b, const char *cluster,
                                     const char *profile)
{
    for (int i = 0; i < b->n; i++)
        if (!strcmp(b->bed[i]->cluster, cluster) && !strcmp(b->bed[i]->model, profile))
            return b->bed[i];
    const char *why = NULL;
    struct sp_testbed *bed = sp_alloc(sizeof *bed);
    bed->number = b->n;
    bed->cluster = strdup(cluster);
    bed->model = strdup(profile);
    bed->topo = sp_topo_load(sp_data_find(".", cluster), &why);
    if (bed->topo)
        bed->profile = sp_profile_load(profile, &why);
    if (!bed->profile)
        bed->why = strdup(why);
    b->bed = sp_grow(b->bed, b->n, sizeof *b->bed);
    return b->bed[b->n++] = bed;
}

/* The names that are for all rows; what isn't given is the alias's. NULL, or why there are none. */
static const char *choose(const struct sp_testbeds *b, const struct sp_measured *m,
                          const char **topology, const char **profile)
{
    *topology = b->cluster;
    *profile = b->profile;
    if (b->aliases && !*m->hardware)
        return "its machine is not stated; --cluster and --profile say it";
    if (b->aliases) {
        const struct sp_alias *a = sp_aliases_find(b->aliases, m->hardware, m->per_node, m->link);
        if (!a)
            return sp_why("no alias for the machine '%s', %d GPUs per node, link '%s'",
                          m->hardware, m->per_node, m->link);
        *topology = b->cluster ? b->cluster : a->topology;
        *profile = b->profile ? b->profile : a->profile;
    }
    return !m->per_node && strstr(*topology, "{nodes}")
           ? "incomplete: gpus_per_node is not stated" : NULL;
}

static const struct sp_testbed *find(struct sp_testbeds *b, const struct sp_measured *m,
                                     const char **why)
{
    const char *topology, *profile;
    if ((*why = choose(b, m, &topology, &profile)))
        return NULL;
    int nodes = m->per_node ? (m->gpus + m->per_node - 1) / m->per_node : 1;
    char *cluster = sp_alias_name(topology, nodes), *model = sp_alias_name(profile, nodes);
    const struct sp_testbed *bed = load(b, cluster, model);
    free(cluster);
    free(model);
    return bed;
}

const struct sp_testbed *sp_testbeds_find(struct sp_testbeds *b, const struct sp_measured *m,
                                          const char **why)
{
    const struct sp_testbed *bed = find(b, m, why);
    if (!bed)
        return NULL;
    if (bed->why)
        *why = bed->why;
    else if (m->gpus > bed->topo->nendpoints)
        *why = sp_why("it ran on %d GPUs, %s has %d", m->gpus, bed->cluster,
                      bed->topo->nendpoints);
    else
        return bed;
    return NULL;
}
