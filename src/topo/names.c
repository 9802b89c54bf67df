/* names.c - tsearch() with numbers. */
/* SPDX-License-Identifier: MIT */
#include "topo/names.h"

#include <ctype.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

struct name { int number; char name[]; };

static int order(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

static struct name *entry_new(const char *name, int number)
{
    struct name *e = sp_alloc(sizeof *e + strlen(name) + 1);
    e->number = number;
    strcpy(e->name, name);
    return e;
}

bool sp_names_add(struct sp_names *n, const char *name, int number)
{
    struct name *e = entry_new(name, number);
    struct name **at = tsearch(e, &n->tree, order);
    if (at && *at == e)
        return true;
    free(e);
    return false;
}

int sp_names_find(const struct sp_names *n, const char *name)
{
    struct name *e = entry_new(name, 0), **at = tfind(e, &n->tree, order);
    free(e);
    return at ? (*at)->number : -1;
}

void sp_names_free(struct sp_names *n)
{
    tdestroy(n->tree, free);
    n->tree = NULL;
}

char *sp_name_copy(const char *text)
{
    char *copy = sp_alloc(strlen(text) + 1);
    for (size_t i = 0; text[i]; i++)
        copy[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
    return copy;
}
