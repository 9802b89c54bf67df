/* aliases.c - read the table of machines, and look one up. */
/* SPDX-License-Identifier: MIT */
#include "topo/aliases.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/parse.h"
#include "util/why.h"

enum { FIELDS = 5, MOST_LINES = 10000, LONGEST_LINE = 4096 };

static const char *const fields[FIELDS] = {
    "hardware", "GPUs per node", "link", "topology", "profile",
};

/* Without blanks around it; writes into the text. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n && strchr(" \t\r\n", text[n - 1]); n--)
        text[n - 1] = 0;
    return text;
}

static const char *check_per_node(const char *text)
{
    long number;
    return strcmp(text, "*") ? sp_parse_size(text, 1, INT_MAX, &number) : NULL;
}

static const char *read_line(struct sp_aliases *a, char *text, int line)
{
    char *field[FIELDS], *rest = text;
    int n = 0;
    for (char *word; (word = strsep(&rest, "|")); n++)
        if (n < FIELDS)
            field[n] = trimmed(word);
    if (n != FIELDS)
        return sp_why("%s:%d: %d fields between |, not %d: hardware | GPUs per node | link | "
                      "topology | profile", a->path, line, n, FIELDS);
    for (int i = 0; i < FIELDS; i++)
        if (!*field[i])
            return sp_why("%s:%d: the %s is empty; * fits all", a->path, line, fields[i]);
    const char *why = check_per_node(field[1]);
    if (why)
        return sp_why("%s:%d: GPUs per node: %s", a->path, line, why);
    a->alias = sp_grow(a->alias, a->n, sizeof *a->alias);
    a->alias[a->n++] = (struct sp_alias){
        .hardware = strdup(field[0]), .per_node = strdup(field[1]), .link = strdup(field[2]),
        .topology = strdup(field[3]), .profile = strdup(field[4]), .line = line };
    return NULL;
}

static const char *read_file(struct sp_aliases *a, FILE *file)
{
    char text[LONGEST_LINE];
    const char *why = NULL;
    for (int line = 1; !why && fgets(text, sizeof text, file); line++) {
        if (line > MOST_LINES)
            return sp_why("%s has more than %d lines", a->path, MOST_LINES);
        if (!strchr(text, '\n') && !feof(file))
            return sp_why("%s:%d is longer than %d bytes, or has a byte of 0", a->path, line,
                          LONGEST_LINE);
        char *from = trimmed(text);
        if (*from && *from != '#')
            why = read_line(a, from, line);
    }
    return !why && ferror(file) ? sp_why("cannot read %s: %s", a->path, strerror(errno)) : why;
}

struct sp_aliases *sp_aliases_load(const char *path, const char **why)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        *why = sp_why("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    struct sp_aliases *a = sp_alloc(sizeof *a);
    a->path = strdup(path);
    *why = read_file(a, file);
    fclose(file);
    if (!*why)
        return a;
    sp_aliases_free(a);
    return NULL;
}

void sp_aliases_free(struct sp_aliases *a)
{
    if (!a)
        return;
    for (int i = 0; i < a->n; i++) {
        free(a->alias[i].hardware);
        free(a->alias[i].per_node);
        free(a->alias[i].link);
        free(a->alias[i].topology);
        free(a->alias[i].profile);
    }
    free(a->alias);
    free(a->path);
    free(a);
}

const struct sp_alias *sp_aliases_find(const struct sp_aliases *a, const char *hardware,
                                       int per_node, const char *link)
{
    for (int i = 0; i < a->n; i++) {
        const struct sp_alias *x = &a->alias[i];
        bool fits = !strcmp(x->per_node, "*") || atoi(x->per_node) == per_node;
        if (fits && !fnmatch(x->hardware, hardware, FNM_CASEFOLD)
            && !fnmatch(x->link, link, FNM_CASEFOLD))
            return x;
    }
    return NULL;
}

char *sp_alias_name(const char *name, int nodes)
{
    static const char place[] = "{nodes}";
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    for (const char *at; (at = strstr(name, place)); name = at + sizeof place - 1)
        fprintf(to, "%.*s%d", (int)(at - name), name, nodes);
    fputs(name, to);
    fclose(to);
    return text;
}
