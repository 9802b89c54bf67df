/* where.c - names to files, files to a topology and a profile. */
/* SPDX-License-Identifier: MIT */
#include "cli/where.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "topo/aliases.h"
#include "util/data.h"
#include "util/why.h"

/* dgx-h100-2, dgx-h100-2.cluster, dgx-h100.xml, or any path. */
static struct sp_topo *load_cluster(const char *name, const char **why)
{
    static const char *const endings[] = { "", ".cluster", ".xml" };
    char text[4096];
    for (int i = 0; strcmp(name, "-") && i < 3; i++) {
        snprintf(text, sizeof text, "%s%s", name, endings[i]);
        const char *path = sp_data_find(".", text);
        if (!access(path, R_OK))
            return sp_topo_load(path, why);
    }
    return sp_topo_load(name, why);     /* says itself what is wrong with it */
}

/* h100-fa3, or any path. */
static struct sp_profile *load_profile(const char *name, const char **why)
{
    char text[4096];
    snprintf(text, sizeof text, "%s.json", name);
    const char *path = sp_data_find("profiles", text);
    return sp_profile_load(access(path, R_OK) ? sp_data_find("profiles", name) : path, why);
}

/* The profile that topologies/profiles/defaults has for the first machine's devices. */
static struct sp_profile *default_profile(const struct sp_topo *t, const char **why)
{
    const struct sp_machine *m = &t->machine[0];
    const char *device = *m->gpu ? m->gpu : m->cpu;
    struct sp_aliases *a = sp_aliases_load(sp_data_find("profiles", "defaults"), why);
    if (!a)
        return NULL;
    const struct sp_alias *found = sp_aliases_find(a, device, 0, "");
    struct sp_profile *f = found ? load_profile(found->profile, why) : NULL;
    if (!found)
        *why = sp_why("--profile: none is known for '%s' of %s; give --profile FILE, or measure one "
                      "there: mpirun -n 2 seqpar calibrate", device, t->name);
    sp_aliases_free(a);
    return f;
}

const char *sp_where_load(const char *cluster, const char *profile, struct sp_where *w)
{
    const char *why = NULL;
    *w = (struct sp_where){ 0 };
    if (!cluster)
        return "--cluster FILE is needed: a cluster file, a machine's hwloc XML, or one of those in "
               "topologies/, such as dgx-h100-2";
    w->topo = load_cluster(cluster, &why);
    if (!w->topo)
        return sp_why("--cluster: %s", why);
    w->profile = profile ? load_profile(profile, &why) : default_profile(w->topo, &why);
    if (!w->profile)
        sp_where_free(w);
    return w->profile || !profile ? why : sp_why("--profile: %s", why);
}

void sp_where_free(struct sp_where *w)
{
    sp_topo_free(w->topo);
    sp_profile_free(w->profile);
    *w = (struct sp_where){ 0 };
}
