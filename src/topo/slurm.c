/* slurm.c - reading topology.conf, its tree and its blocks.
 *
 *      SwitchName=leaf1 Nodes=n[01-16]         BlockName=rack1 Nodes=t[01-18]
 *      SwitchName=top   Switches=leaf[1-2]     BlockSizes=18
 *
 * Keys in letters of either case, # comments, \ at the end of a line that goes on. */
/* SPDX-License-Identifier: MIT */
#include "topo/slurm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/why.h"

enum { MOST_ENTRIES = 65536, LONGEST = 65536, MOST_LEVELS = 8, MOST_HOSTS = 4 * SP_MAX_HOSTS };

/* ---- one line --------------------------------------------------------------------------- */

static const char *at_line(const struct sp_slurm *s, int line, const char *why)
{
    return why ? sp_why("%s:%d: %s", s->path, line, why) : NULL;
}

static const char *take(struct sp_slurm *s, struct sp_slurm_entry *e, char *key, char *value,
                        int line, bool *is_block)
{
    if (!*value)
        return sp_why("%s:%d: %.40s has no value", s->path, line, key);
    if (!strcasecmp(key, "SwitchName") || !strcasecmp(key, "BlockName")) {
        *is_block = !strcasecmp(key, "BlockName");
        free(e->name);
        e->name = strdup(value);
        return NULL;
    }
    struct sp_hosts *to = !strcasecmp(key, "Nodes") ? &e->nodes
                          : !strcasecmp(key, "Switches") ? &e->switches : NULL;
    if (to && to->n)
        return sp_why("%s:%d: %s twice", s->path, line, key);
    if (to)
        return at_line(s, line, sp_hosts_parse(value, to));
    if (!strcasecmp(key, "LinkSpeed") || !strcasecmp(key, "BlockSizes"))
        return NULL;            /* of no fixed unit; which sizes may be allocated together */
    return sp_why("%s:%d: %.40s is none of SwitchName, Nodes, Switches, LinkSpeed, BlockName, "
                  "BlockSizes", s->path, line, key);
}

static void free_entry(struct sp_slurm_entry *e)
{
    free(e->name);
    free(e->below);
    sp_hosts_free(&e->nodes);
    sp_hosts_free(&e->switches);
}

/* Names must be words that a cluster file can hold. */
static const char *check_names(struct sp_slurm *s, const struct sp_slurm_entry *e)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_./";
    const char *bad = e->name[strspn(e->name, letters)] ? e->name : NULL;
    for (int i = 0; i < e->nodes.n && !bad; i++)
        if (e->nodes.at[i][strspn(e->nodes.at[i], letters)])
            bad = e->nodes.at[i];
    if (bad)
        return sp_why("%s:%d: \"%.60s\": names have letters, digits and -_./ only", s->path,
                      e->line, bad);
    s->hosts += e->nodes.n + e->switches.n;
    return s->hosts <= MOST_HOSTS ? NULL : sp_why("%s:%d: more than %d hosts in its lists",
                                                  s->path, e->line, MOST_HOSTS);
}

static const char *keep(struct sp_slurm *s, struct sp_slurm_entry *e, bool is_block)
{
    const char *why = check_names(s, e);
    if (why)
        return why;
    if (is_block && !e->nodes.n)
        return sp_why("%s:%d: block %.60s has no Nodes", s->path, e->line, e->name);
    if (!is_block && !e->nodes.n == !e->switches.n)
        return sp_why("%s:%d: switch %.60s must have either Nodes or Switches", s->path, e->line,
                      e->name);
    if (s->nswitches + s->nblocks == MOST_ENTRIES)
        return sp_why("%s:%d: more than %d switches and blocks", s->path, e->line, MOST_ENTRIES);
    if (!is_block && !sp_names_add(&s->names, e->name, s->nswitches))
        return sp_why("%s:%d: switch %.60s for the second time", s->path, e->line, e->name);
    struct sp_slurm_entry **list = is_block ? &s->block : &s->sw;
    int *n = is_block ? &s->nblocks : &s->nswitches;
    *list = sp_grow(*list, *n, sizeof **list);
    (*list)[(*n)++] = *e;
    *e = (struct sp_slurm_entry){ 0 };
    return NULL;
}

static const char *read_line(struct sp_slurm *s, char *text, int line)
{
    struct sp_slurm_entry e = { .line = line };
    const char *why = NULL;
    bool is_block = false, any = false;
    text[strcspn(text, "#")] = '\0';
    for (char *word, *rest = text; !why && (word = strsep(&rest, " \t\r\n"));) {
        char *equal = strchr(word, '=');
        if (!*word)
            continue;
        if (!equal)
            why = sp_why("%s:%d: \"%.60s\" must be KEY=VALUE", s->path, line, word);
        else
            *equal = '\0';
        any = any || (!why && strcasecmp(word, "BlockSizes"));
        why = why ? why : take(s, &e, word, equal + 1, line, &is_block);
    }
    if (!why && any && !e.name)
        why = sp_why("%s:%d: neither SwitchName nor BlockName", s->path, line);
    if (!why && any)
        why = keep(s, &e, is_block);
    free_entry(&e);
    return why;
}

/* Lines that end with \ are put together; then what they say is read. */
static const char *read_lines(struct sp_slurm *s, FILE *in)
{
    char *text = sp_alloc(LONGEST);
    size_t n = 0;
    const char *why = NULL;
    int line = 1, first = 1;
    for (; !why && fgets(text + n, (int)(LONGEST - n), in); line++) {
        size_t end = n + strlen(text + n);
        if (end == LONGEST - 1 && text[end - 1] != '\n') {
            why = sp_why("%s:%d: longer than %d bytes", s->path, line, LONGEST);
        } else if (end - n > 1 && text[end - 1] == '\n' && text[end - 2] == '\\') {
            n = end - 2;
            continue;
        } else {
            why = read_line(s, text, first);
        }
        first = line + 1;
        n = 0;
    }
    if (!why && n)
        why = read_line(s, text, first);
    if (!why && ferror(in))
        why = sp_why("cannot read %s: %s", s->path, strerror(errno));
    free(text);
    return why;
}

/* ---- the tree --------------------------------------------------------------------------- */

static const char *find_below(struct sp_slurm *s, struct sp_slurm_entry *e)
{
    e->below = sp_alloc((size_t)e->switches.n * sizeof *e->below);
    for (int i = 0; i < e->switches.n; i++) {
        int at = sp_names_find(&s->names, e->switches.at[i]);
        if (at < 0)
            return sp_why("%s:%d: there is no switch %.60s", s->path, e->line,
                          e->switches.at[i]);
        e->below[e->nbelow++] = at;
        if (s->sw[at].above++)
            return sp_why("%s:%d: switch %.60s is below two others", s->path, e->line,
                          e->switches.at[i]);
    }
    return NULL;
}

/* Each switch has at most one above, so a walk up from a leaf ends, or it is in a circle. */
static const char *check_levels(const struct sp_slurm *s, int at, int level)
{
    if (level > MOST_LEVELS)
        return sp_why("%s:%d: more than %d levels of switches, or a circle", s->path,
                      s->sw[at].line, MOST_LEVELS);
    const char *why = NULL;
    for (int i = 0; i < s->sw[at].nbelow && !why; i++)
        why = check_levels(s, s->sw[at].below[i], level + 1);
    return why;
}

const char *sp_slurm_read(struct sp_slurm *s, FILE *in, const char *path)
{
    *s = (struct sp_slurm){ .path = path };
    const char *why = read_lines(s, in);
    for (int i = 0; i < s->nswitches && !why; i++)
        why = find_below(s, &s->sw[i]);
    int tops = 0;
    for (int i = 0; i < s->nswitches && !why; i++)
        if (!s->sw[i].above) {
            tops++;
            why = check_levels(s, i, 1);
        }
    if (!why && s->nswitches && !tops)
        why = sp_why("%s: its switches are in a circle", path);
    if (!why && !s->nswitches && !s->nblocks)
        why = sp_why("%s has neither SwitchName nor BlockName: it must be Slurm's topology.conf",
                     path);
    return why;
}

void sp_slurm_free(struct sp_slurm *s)
{
    for (int i = 0; i < s->nswitches; i++)
        free_entry(&s->sw[i]);
    for (int i = 0; i < s->nblocks; i++)
        free_entry(&s->block[i]);
    free(s->sw);
    free(s->block);
    sp_names_free(&s->names);
}
