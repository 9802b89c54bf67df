/* venue.c - names to files, files to a topology and a profile. */
/* SPDX-License-Identifier: MIT */
#include "cli/venue.h"

#include <string.h>
#include <unistd.h>

#include "topo/aliases.h"
#include "util/data.h"
#include "util/why.h"

struct sp_topo *sp_venue_topo(const char *name, const char **why)
{
    const char *path = strcmp(name, "-") ? sp_data_find(".", name) : name;
    if (strcmp(name, "-") && (!*name || access(path, F_OK))) {
        *why = sp_why("'%s' is no file, and no cluster or machine of that name comes with seqpar; "
                      "seqpar info lists them", name);
        return NULL;
    }
    return sp_topo_load(path, why);
}

static const char *device_of(const struct sp_machine *m) { return *m->gpu ? m->gpu : m->cpu; }

static const char *none_known(const struct sp_topo *t, const struct sp_machine *m)
{
    if (*m->gpu)
        return sp_why("--profile: none is known for '%s' of %s; give a FILE, or one of those that "
                      "seqpar info lists", m->gpu, t->name);
    return sp_why("--profile: none is known for the processors of %s%s%s; measure one on them: "
                  "mpirun -n 2 seqpar calibrate", t->name, *m->cpu ? ", " : "", m->cpu);
}

/* The profile that topologies/profiles/defaults has for the machines' devices. */
static struct sp_profile *default_profile(const struct sp_topo *t, const char **why)
{
    const struct sp_alias *first = NULL;
    struct sp_profile *f = NULL;
    struct sp_aliases *a = sp_aliases_load(sp_data_own("profiles", "defaults"), why);
    if (!a)
        return NULL;
    for (int i = 0; i < t->nmachines && !*why; i++) {
        const struct sp_machine *m = &t->machine[i];
        const struct sp_alias *found = sp_aliases_find(a, device_of(m), 0, "");
        first = i ? first : found;
        if (!found)
            *why = none_known(t, m);
        else if (strcmp(found->profile, first->profile))
            *why = sp_why("--profile: machines of %s differ: %s is known for '%s', %s for '%s'; all "
                          "ranks are simulated by one, so say which", t->name, first->profile,
                          device_of(&t->machine[0]), found->profile, device_of(m));
    }
    if (!*why && first)
        f = sp_profile_load(first->profile, why);
    sp_aliases_free(a);
    return f;
}

const char *sp_venue_load(const char *cluster, const char *profile, struct sp_venue *w)
{
    const char *why = NULL;
    *w = (struct sp_venue){ 0 };
    if (!cluster)
        return "--cluster FILE is needed: a cluster file, a machine's hwloc XML, or one of those in "
               "topologies/, such as dgx-h100-2";
    w->topo = sp_venue_topo(cluster, &why);
    if (!w->topo)
        return sp_why("--cluster: %s", why);
    w->profile = profile ? sp_profile_load(profile, &why) : default_profile(w->topo, &why);
    if (!w->profile)
        sp_venue_free(w);
    return w->profile || !profile ? why : sp_why("--profile: %s", why);
}

void sp_venue_free(struct sp_venue *w)
{
    sp_topo_free(w->topo);
    sp_profile_free(w->profile);
    *w = (struct sp_venue){ 0 };
}
