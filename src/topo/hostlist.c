/* hostlist.c - n[01-02]g[1,3] is n01g1 n01g3 n02g1 n02g3: prefixes grow from left to right. */
/* SPDX-License-Identifier: MIT */
#include "topo/hostlist.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/names.h"
#include "util/memory.h"
#include "util/why.h"

enum { LONGEST = 255, DIGITS = 9 };

/* One item of a list: what is still to be read, and the names so far. */
struct state { struct sp_hosts *hosts; const char *text; const char *why; };

static void expand(struct state *s, const char *prefix, const char *item, const char *end);

static void add(struct state *s, const char *name)
{
    if (!*name)
        s->why = sp_why("hosts \"%.60s\" have an empty name", s->text);
    else if (s->hosts->n == SP_MAX_HOSTS)
        s->why = sp_why("hosts \"%.60s\" are more than %d", s->text, SP_MAX_HOSTS);
    if (s->why)
        return;
    s->hosts->at = sp_grow(s->hosts->at, s->hosts->n, sizeof *s->hosts->at);
    s->hosts->at[s->hosts->n++] = sp_name_copy(name);
}

/* Digits at *c: their value, and how many; 0: none, or too many. */
static int number(const char **c, long *value)
{
    int width = (int)strspn(*c, "0123456789");
    if (width < 1 || width > DIGITS)
        return 0;
    *value = strtol(*c, NULL, 10);
    *c += width;
    return width;
}

/* What stands in brackets, between `from` and `close`; then the rest of the item. */
static void ranges(struct state *s, const char *prefix, const char *from, const char *close,
                   const char *end)
{
    char name[LONGEST + 1];
    for (const char *c = from; !s->why; c++) {
        long low = 0, high;
        int width = number(&c, &low);
        high = low;
        bool good = width > 0;
        if (good && *c == '-')
            good = c++ && number(&c, &high) > 0 && high >= low;
        if (!good || (*c != ',' && c != close))
            s->why = sp_why("hosts \"%.60s\": brackets hold numbers and ranges, as in "
                            "n[01-16,20]", s->text);
        else if (high - low >= SP_MAX_HOSTS)
            s->why = sp_why("hosts \"%.60s\" are more than %d", s->text, SP_MAX_HOSTS);
        for (long i = low; !s->why && i <= high; i++) {
            if (snprintf(name, sizeof name, "%s%0*ld", prefix, width, i) > LONGEST)
                s->why = sp_why("hosts \"%.60s...\": a name is too long", s->text);
            else
                expand(s, name, close + 1, end);
        }
        if (c == close)
            return;
    }
}

/* The names that begin with prefix and go on with what item says. */
static void expand(struct state *s, const char *prefix, const char *item, const char *end)
{
    char name[LONGEST + 1];
    const char *open = memchr(item, '[', (size_t)(end - item));
    size_t plain = (size_t)((open ? open : end) - item);
    if (strlen(prefix) + plain > LONGEST)
        s->why = sp_why("hosts \"%.60s...\": a name is too long", s->text);
    else if (memchr(item, ']', plain))
        s->why = sp_why("hosts \"%.60s\": ']' without '['", s->text);
    if (s->why)
        return;
    snprintf(name, sizeof name, "%s%.*s", prefix, (int)plain, item);
    if (!open) {
        add(s, name);
        return;
    }
    const char *close = memchr(open, ']', (size_t)(end - open));
    if (close)
        ranges(s, name, open + 1, close, end);
    else
        s->why = sp_why("hosts \"%.60s\": '[' without ']'", s->text);
}

const char *sp_hosts_parse(const char *text, struct sp_hosts *hosts)
{
    *hosts = (struct sp_hosts){ 0 };
    struct state s = { .hosts = hosts, .text = text };
    const char *item = text;
    int depth = 0;
    for (const char *c = text; !s.why; c++) {
        depth += (*c == '[') - (*c == ']');
        if (*c && (*c != ',' || depth > 0))
            continue;
        expand(&s, "", item, c);
        item = c + 1;
        if (!*c)
            break;
    }
    if (s.why)
        sp_hosts_free(hosts);
    return s.why;
}

void sp_hosts_free(struct sp_hosts *hosts)
{
    for (int i = 0; i < hosts->n; i++)
        free(hosts->at[i]);
    free(hosts->at);
    *hosts = (struct sp_hosts){ 0 };
}
