/* kinds.h - the parts of a cluster file that all importers of networks write alike. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_KINDS_H
#define SP_KINDS_H

#include "topo/import.h"
#include "topo/names.h"

/* The hosts that --machine tells of. */
struct sp_kinds {
    const struct sp_import *job;
    struct sp_names host;       /* those that a list names, and their machine */
    int others;                 /* machine of all other hosts; -1: they are left out */
};

/* NULL, or why the lists make no sense; sp_kinds_free() them either way. */
const char *sp_kinds_read(struct sp_kinds *k, const struct sp_import *job);
void sp_kinds_free(struct sp_kinds *k);
int sp_kinds_find(const struct sp_kinds *k, const char *host);  /* -1: not one of ours */

/* A `machine` line for each that is used. */
void sp_kinds_write(const struct sp_kinds *k, const bool *used);

/* A `nodes` line for each machine. hosts[] is put in order. */
void sp_nodes_write(const struct sp_kinds *k, char **hosts, int n);

/* Names as a list of Slurm's: n[01-04,7],login. hosts[] must be in order. */
void sp_hosts_write(FILE *out, char *const *hosts, int n);

/* By digits as numbers, else by letters: n2 before n10. For qsort() of char *. */
int sp_hosts_order(const void *a, const void *b);

/* A name that a cluster file can hold: what would end a word becomes '_'. In place. */
char *sp_word(char *text);

#endif
