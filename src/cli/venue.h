/* venue.h - the machines and the numbers that a simulation goes by, found by their names. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_VENUE_H
#define SP_VENUE_H

#include "cli/options.h"
#include "sim/profile.h"
#include "topo/topo.h"

/* A file, a name of topologies/ ("dgx-h100-2"), or "-", this machine. NULL: *why says why not. */
struct sp_topo *sp_venue_topo(const char *name, const char **why);

struct sp_venue {
    struct sp_topo *topo;
    struct sp_profile *profile;
};

/* --cluster: as above. --profile: a
 * file, a name of topologies/profiles, or, if NULL, what topologies/aliases has for the devices
 * of the cluster. NULL, or why not. */
const char *sp_venue_load(const char *cluster, const char *profile, struct sp_venue *w);
void sp_venue_free(struct sp_venue *w);

#endif
