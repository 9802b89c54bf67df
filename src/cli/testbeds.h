/* testbeds.h - the machines that points were measured on: a topology and a profile each,
 * found by their names in other people's tables, loaded once. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TESTBEDS_H
#define SP_TESTBEDS_H

#include "report/measured.h"
#include "sim/profile.h"
#include "topo/aliases.h"

struct sp_testbed {
    int number;                 /* among all of them */
    char *cluster, *model;      /* files of the topology and the profile, as they were named */
    struct sp_topo *topo;
    struct sp_profile *profile;
    char *why;                  /* they can't be loaded; NULL */
};

struct sp_testbeds {
    const char *cluster, *profile;      /* given for all points; NULL: by the aliases */
    struct sp_aliases *aliases;         /* NULL if both are given */
    struct sp_testbed **bed; int n;
};

/* The aliases of a file, unless both others are given. NULL: *why says what is wrong. */
struct sp_testbeds *sp_testbeds_new(const char *cluster, const char *profile,
                                    const char *aliases, const char **why);
void sp_testbeds_free(struct sp_testbeds *b);

/* Where a point was measured. NULL: *why says why that isn't known, or can't be loaded. */
const struct sp_testbed *sp_testbeds_find(struct sp_testbeds *b, const struct sp_measured *m,
                                          const char **why);

#endif
