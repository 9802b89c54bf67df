/* slurm.h - a topology.conf of Slurm: lines of KEY=VALUE. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SLURM_H
#define SP_SLURM_H

#include <stdio.h>

#include "topo/hostlist.h"
#include "topo/names.h"

/* A switch, with nodes or with switches below it; or a block of nodes. */
struct sp_slurm_entry {
    int line;
    char *name;
    struct sp_hosts nodes, switches;
    int *below, nbelow;         /* switches as entries */
    int above;                  /* how many switches have this one below them */
};

struct sp_slurm {
    const char *path;
    struct sp_slurm_entry *sw;    int nswitches;
    struct sp_slurm_entry *block; int nblocks;
    struct sp_names names;      /* of switches */
    long hosts;                 /* of all lists together */
};

/* NULL, or what is wrong; sp_slurm_free() it either way. */
const char *sp_slurm_read(struct sp_slurm *s, FILE *in, const char *path);
void sp_slurm_free(struct sp_slurm *s);

#endif
