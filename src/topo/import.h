/* import.h - topologies that other tools wrote, as ours: one machine as hwloc v2 XML, or a
 * network as a cluster file. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_IMPORT_H
#define SP_IMPORT_H

#include <stdbool.h>
#include <stdio.h>

/* What the hosts of a network are. hosts: a list of their names; NULL: all others. */
struct sp_import_machine { const char *topo, *hosts; };

struct sp_import {
    FILE *in;
    const char *path;           /* of `in`, for messages */
    const char *name;           /* of what comes out: "dgx-h100", "ib" */
    const struct sp_import_machine *machine; int nmachines;     /* networks */
    const char *rate;           /* of a cable, as given: "400Gb/s"; NULL: none */
    FILE *out;
    FILE *notes;                /* what was left out, a line each */
};

struct sp_importer {
    const char *name, *help;
    bool network;               /* makes a cluster file: --machine is needed */
    const char *(*run)(const struct sp_import *i);      /* NULL, or why not: `out` is void */
};

extern const struct sp_importer sp_importers[];         /* ends with a NULL name */

const char *sp_import_nccl(const struct sp_import *i);
const char *sp_import_slurm(const struct sp_import *i);
const char *sp_import_ib(const struct sp_import *i);

#endif
