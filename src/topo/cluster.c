/* cluster.c - the cluster file's grammar, as tables: statements, their words, their keys. */
/* SPDX-License-Identifier: MIT */
#include "topo/cluster.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/units.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/why.h"

/* ---- the grammar ------------------------------------------------------------------------- */

enum type { TEXT, PATH, HOSTS, RATE, TIME, WHOLE, FACTOR, CHOICE };

struct key {
    const char *name;
    enum type type;
    size_t at;
    bool needed;
    long low, high;             /* WHOLE */
    const char *const *choice;
};

static const char *const no_yes[] = { "no", "yes", NULL };
static const char *const routings[] = { "dmodk", "adaptive", NULL };
static const char *const tiers[] = { "leaf", "spine", "core", NULL };

#define M(member) offsetof(struct sp_machine_line, spec.member)
#define D(member) offsetof(struct sp_domain_line, member)
#define F(member) offsetof(struct sp_fabric_line, member)
#define S(member) offsetof(struct sp_switch_line, member)
#define C(member) offsetof(struct sp_cable_line, member)

static const struct key machine_keys[] = {
    { "topo", PATH, M(topo) }, { "nvlink", TEXT, M(nvlink) }, { "nics", TEXT, M(nics) },
    { "gpu", TEXT, M(gpu) }, { "nic_rate", RATE, M(nic_rate) }, { "smp", RATE, M(smp) },
    { "c2c", RATE, M(c2c) }, { "memory", RATE, M(memory) }, { "pcie", RATE, M(pcie) },
    { "ranks", WHOLE, M(ranks), false, 1, SP_MAX_LOCAL_ENDPOINTS },
    { "cores", WHOLE, M(cores), false, 1, 1 << 20 },
    { "nvb", CHOICE, M(nvb), .choice = no_yes },
    { "nvlink_latency", TIME, M(latency[SP_LINK_NVLINK]) },
    { "xgmi_latency", TIME, M(latency[SP_LINK_XGMI]) },
    { "c2c_latency", TIME, M(latency[SP_LINK_C2C]) },
    { "pcie_latency", TIME, M(latency[SP_LINK_PCIE]) },
    { "smp_latency", TIME, M(latency[SP_LINK_SMP]) },
    { "memory_latency", TIME, M(latency[SP_LINK_MEMORY]) },
    { NULL }
};
static const struct key nodes_keys[] = {
    { "machine", TEXT, offsetof(struct sp_nodes_line, machine), true }, { NULL }
};
static const struct key domain_keys[] = {
    { "nodes", HOSTS, D(nodes), true }, { "links", WHOLE, D(links), true, 1, 1024 },
    { "rate", RATE, D(rate), true }, { NULL }
};
static const struct key fabric_keys[] = {
    { "rate", RATE, F(rate) }, { "uprate", RATE, F(uprate) }, { "oversub", FACTOR, F(oversub) },
    { "nic", TIME, F(nic) }, { "switch", TIME, F(sw) },
    { "rails", WHOLE, F(rails), false, 1, 1024 },
    { "nodes_per_leaf", WHOLE, F(nodes_per_leaf), false, 1, SP_MAX_HOSTS },
    { "spines", WHOLE, F(spines), false, 0, 4096 }, { "planes", WHOLE, F(planes), false, 1, 16 },
    { "routing", CHOICE, F(routing), .choice = routings },
    { "pxn", CHOICE, F(pxn), .choice = no_yes }, { "nodes", HOSTS, F(nodes) }, { NULL }
};
static const struct key switch_keys[] = {
    { "tier", CHOICE, S(tier), .choice = tiers }, { "plane", WHOLE, S(plane), false, 0, 1024 },
    { NULL }
};
static const struct key link_keys[] = {
    { "count", WHOLE, C(count), false, 1, 65536 }, { "rate", RATE, C(rate) },
    { "latency", TIME, C(latency) }, { NULL }
};
static const struct key down_keys[] = {
    { "count", WHOLE, C(count), false, 1, 65536 }, { NULL }
};

/* Statements: a word or two, of the same types, then keys. All structs begin with `line`. */
static const struct statement {
    const char *name, *words;
    const struct key *keys;
    size_t size, array, count;  /* where struct sp_cluster has them */
    int nwords;
    enum type type;
    size_t word[2];
} statements[] = {
#define IN(list, n) offsetof(struct sp_cluster, list), offsetof(struct sp_cluster, n)
    { "machine", "a name", machine_keys, sizeof(struct sp_machine_line), IN(machine, nmachines),
      1, TEXT, { M(name) } },
    { "nodes", "a list of hosts", nodes_keys, sizeof(struct sp_nodes_line), IN(nodes, nnodes),
      1, HOSTS, { offsetof(struct sp_nodes_line, hosts) } },
    { "nvlink", "a name", domain_keys, sizeof(struct sp_domain_line), IN(domain, ndomains),
      1, TEXT, { D(name) } },
    { "fabric", "a name", fabric_keys, sizeof(struct sp_fabric_line), IN(fabric, nfabrics),
      1, TEXT, { F(name) } },
    { "switch", "a name", switch_keys, sizeof(struct sp_switch_line), IN(sw, nswitches),
      1, TEXT, { S(name) } },
    { "link", "its two ends", link_keys, sizeof(struct sp_cable_line), IN(cable, ncables),
      2, TEXT, { C(a), C(b) } },
    { "down", "its two ends", down_keys, sizeof(struct sp_cable_line), IN(down, ndowns),
      2, TEXT, { C(a), C(b) } },
};

enum { NSTATEMENTS = sizeof statements / sizeof *statements };

/* ---- one line ---------------------------------------------------------------------------- */

/* The next word; NULL: the line is at its end. Quotes keep blanks in it and are dropped. */
static char *next_word(char **rest, const char **why)
{
    char *from = *rest + strspn(*rest, " \t\r\n"), *to = from, *c = from;
    bool quoted = false;
    if (!*from || *from == '#')
        return NULL;
    for (; *c && (quoted || (!isspace((unsigned char)*c) && *c != '#')); c++)
        if (*c == '"')
            quoted = !quoted;
        else
            *to++ = *c;
    if (quoted)
        *why = "a quote is not closed";
    if (*c == '#')
        *c = '\0';
    *rest = *c ? c + 1 : c;
    *to = '\0';
    return from;
}

/* A path as seen from the file's folder. */
static char *beside(const struct sp_cluster *c, const char *path)
{
    const char *slash = strrchr(c->path, '/');
    char *full;
    if (path[0] == '/' || !strcmp(path, "-") || !slash
        || asprintf(&full, "%.*s/%s", (int)(slash - c->path), c->path, path) < 0)
        return strdup(path);
    return full;
}

static const char *read_value(const struct sp_cluster *c, const struct key *k, const char *text,
                              void *at)
{
    char *end;
    int place;
    const char *why;
    if (!*text)
        return "is empty";
    switch (k->type) {
    case TEXT:   *(char **)at = strdup(text); return NULL;
    case PATH:   *(char **)at = beside(c, text); return NULL;
    case HOSTS:  return sp_hosts_parse(text, at);
    case RATE:   return sp_parse_rate(text, at);
    case TIME:   return sp_parse_time(text, at);
    case WHOLE:  return sp_parse_size(text, k->low, k->high, at);
    case FACTOR:
        *(double *)at = strtod(text, &end);
        return *end || !(*(double *)at >= 0.01 && *(double *)at <= 1000)
            ? sp_why("\"%s\" must be from 0.01 to 1000", text) : NULL;
    case CHOICE:
        if (!(why = sp_parse_name(text, k->choice, &place)))
            *(int *)at = place;
        return why;
    }
    return NULL;
}

static const char *known_keys(const struct key *keys)
{
    char all[400] = "";
    for (size_t used = 0; keys->name; keys++, used = strlen(all))
        snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", keys->name);
    return sp_why("%s", all);
}

/* "rate=400Gb/s"; *given has a bit for each key that was there. */
static const char *read_key(const struct sp_cluster *c, const struct statement *s, char *word,
                            char *at, unsigned *given)
{
    char *value = strchr(word, '=');
    if (!value)
        return sp_why("\"%s\" is not KEY=VALUE", word);
    *value++ = '\0';
    for (int i = 0; s->keys[i].name; i++) {
        const struct key *k = &s->keys[i];
        if (strcmp(word, k->name))
            continue;
        if (*given & 1u << i)
            return sp_why("%s= is there twice", k->name);
        *given |= 1u << i;
        const char *why = read_value(c, k, value, at + k->at);
        return why ? sp_why("%s=: %s", k->name, why) : NULL;
    }
    return sp_why("%s has no %s=; it has %s", s->name, word, known_keys(s->keys));
}

/* The words after the statement's name. */
static const char *read_rest(const struct sp_cluster *c, const struct statement *s, char *rest,
                             char *at)
{
    unsigned given = 0;
    const char *why = NULL;
    char *word;
    for (int i = 0; i < s->nwords; i++) {
        const struct key k = { .type = s->type };
        word = next_word(&rest, &why);
        if (!why && (!word || strchr(word, '=')))
            why = sp_why("%s needs %s first", s->name, s->words);
        if (!why)
            why = read_value(c, &k, word, at + s->word[i]);
        if (why)
            return why;
    }
    while ((word = next_word(&rest, &why)) && !why)
        why = read_key(c, s, word, at, &given);
    for (int i = 0; s->keys[i].name && !why; i++)
        if (s->keys[i].needed && !(given & 1u << i))
            why = sp_why("%s needs %s=", s->name, s->keys[i].name);
    return why;
}

static void set_defaults(const struct statement *s, void *at)
{
    if (s->keys == fabric_keys) {
        struct sp_fabric_line *f = at;
        f->rails = f->planes = f->pxn = 1;
        f->oversub = 1;
        f->spines = -1;
    } else if (s->keys == link_keys) {
        ((struct sp_cable_line *)at)->count = 1;
    }
}

static const char *read_line(struct sp_cluster *c, char *text, int line)
{
    const char *why = NULL;
    char *name = next_word(&text, &why);
    if (!name || why)
        return why;
    for (int i = 0; i < NSTATEMENTS; i++) {
        const struct statement *s = &statements[i];
        if (strcmp(name, s->name))
            continue;
        char **array = (char **)((char *)c + s->array);
        int *n = (int *)((char *)c + s->count);
        *array = sp_grow(*array, *n, s->size);
        char *at = *array + (size_t)(*n)++ * s->size;
        memset(at, 0, s->size);
        *(int *)at = line;
        set_defaults(s, at);
        return read_rest(c, s, text, at);
    }
    return sp_why("no statement \"%.40s\"; it must be machine, nodes, nvlink, fabric, switch, "
                  "link or down", name);
}

/* ---- the file ---------------------------------------------------------------------------- */

/* What a file is called, without folder and ending. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return strndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

static bool is_text(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)line[i]) && !strchr("\t\r\n", line[i] ? line[i] : 1))
            return false;
    return true;
}

static const char *read_file(struct sp_cluster *c, FILE *f)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    const char *why = NULL;
    int number = 0;
    while (!why && (got = getline(&line, &room, f)) >= 0) {
        number++;
        why = is_text(line, (size_t)got) ? read_line(c, line, number) : "is not text";
    }
    if (why)
        why = sp_why("%s:%d: %s", c->path, number, why);
    else if (ferror(f))
        why = sp_why("%s: %s", c->path, strerror(errno));
    free(line);
    return why;
}

struct sp_cluster *sp_cluster_read(const char *path, const char **why)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        *why = sp_why("%s: %s", path, strerror(errno));
        return NULL;
    }
    struct sp_cluster *c = sp_alloc(sizeof *c);
    c->path = strdup(path);
    c->name = name_of(path);
    *why = read_file(c, f);
    fclose(f);
    if (!*why)
        return c;
    sp_cluster_free(c);
    return NULL;
}

struct sp_cluster *sp_cluster_of_machine(const char *path)
{
    bool live = !strcmp(path, "-");
    struct sp_cluster *c = sp_alloc(sizeof *c);
    c->path = strdup(path);
    c->name = live ? strdup("this-machine") : name_of(path);
    c->machine = sp_alloc(sizeof *c->machine);
    c->nmachines = 1;
    c->machine[0].spec.name = strdup(c->name);
    c->machine[0].spec.topo = strdup(path);
    c->nodes = sp_alloc(sizeof *c->nodes);
    c->nnodes = 1;
    c->nodes[0].machine = strdup(c->name);
    c->nodes[0].hosts = (struct sp_hosts){ .at = sp_alloc(sizeof(char *)), .n = 1 };
    c->nodes[0].hosts.at[0] = strdup(c->name);
    return c;
}

/* What the words and keys of one statement hold. */
static void free_line(const struct statement *s, char *at)
{
    for (int i = 0; i < s->nwords; i++)
        if (s->type == HOSTS)
            sp_hosts_free((struct sp_hosts *)(at + s->word[i]));
        else
            free(*(char **)(at + s->word[i]));
    for (const struct key *k = s->keys; k->name; k++)
        if (k->type == HOSTS)
            sp_hosts_free((struct sp_hosts *)(at + k->at));
        else if (k->type == TEXT || k->type == PATH)
            free(*(char **)(at + k->at));
}

void sp_cluster_free(struct sp_cluster *c)
{
    for (int i = 0; i < NSTATEMENTS; i++) {
        char *array = *(char **)((char *)c + statements[i].array);
        int n = *(int *)((char *)c + statements[i].count);
        for (int k = 0; k < n; k++)
            free_line(&statements[i], array + (size_t)k * statements[i].size);
        free(array);
    }
    free(c->path);
    free(c->name);
    free(c);
}
