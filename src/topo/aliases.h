/* aliases.h - which topology and profile a published machine is: its name in other people's
 * tables, to files of ours. topologies/aliases, a line each, the first that fits counts:
 *
 *     # hardware    | GPUs per node | link   | topology               | profile
 *     A800*         | 8             | NVLink*| clusters/a800-{nodes}  | a800-fa2
 *     RTX 4090D     | *             | *      | machines/4090d.xml     | 4090d-fa2
 *
 * Hardware and link are globs, letters of either case. {nodes} becomes the number of nodes. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ALIASES_H
#define SP_ALIASES_H

struct sp_alias {
    char *hardware, *per_node, *link;   /* globs; per_node: a number, or "*" */
    char *topology, *profile;           /* as written */
    int line;                           /* of the file */
};

struct sp_aliases { char *path; struct sp_alias *alias; int n; };

/* NULL: *why says what is wrong, with file and line. */
struct sp_aliases *sp_aliases_load(const char *path, const char **why);
void sp_aliases_free(struct sp_aliases *a);

/* The first that fits; NULL: none. per_node 0 is unknown: only "*" fits it. */
const struct sp_alias *sp_aliases_find(const struct sp_aliases *a, const char *hardware,
                                       int per_node, const char *link);

/* A name of an alias, with {nodes} replaced. free() it. */
char *sp_alias_name(const char *name, int nodes);

#endif
