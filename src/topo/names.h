/* names.h - which number a name has, of thousands. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_NAMES_H
#define SP_NAMES_H

#include <stdbool.h>

struct sp_names { void *tree; };        /* zero: none */

/* The name is copied. False: there is one already. */
bool sp_names_add(struct sp_names *n, const char *name, int number);
int  sp_names_find(const struct sp_names *n, const char *name);        /* -1: no such name */
void sp_names_free(struct sp_names *n);

/* A copy of what a stranger's file calls something; control characters become '?'. */
char *sp_name_copy(const char *text);

#endif
