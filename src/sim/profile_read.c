/* profile_read.c - a profile from its file. Every number has bounds, since files come from
 * strangers and a mistyped one would be believed; members nobody knows are typing mistakes. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/profile.h"
#include "sim/profile_read.h"
#include "util/data.h"
#include "util/json.h"
#include "util/memory.h"
#include "util/why.h"

enum { MOST_KERNELS = 1000, MOST_POINTS = 1000, MOST_TEXT = 1 << 16, MOST_TILE = 1 << 20,
       MOST_DIM = 1 << 14, MOST_SLOTS = 1 << 20 };

static const double MOST_SECONDS = 1e3, MOST_RATE = 1e18, MOST_MEMORY = 1e15, MOST_SIZE = 1e24,
                    MOST_FACTOR = 1e6;

/* An object of the file, and how it is called in sentences: "kernels[2]"; "": the file. The
 * first thing that is wrong ends the reading of all of it. */
struct part { const json_t *in; char name[64]; const char **why; };

/* "kernels[2].tile", or "slots". */
static const char *full_name(const struct part *p, const char *name)
{
    static char full[160];
    snprintf(full, sizeof full, "%s%s%s", p->name, *p->name ? "." : "", name);
    return full;
}

static const json_t *member(const struct part *p, const char *name)
{
    return *p->why ? NULL : sp_json_get(p->in, name);
}

static void complain(const struct part *p, const char *name, const char *what)
{
    if (!*p->why)
        *p->why = sp_why("%s %s", full_name(p, name), what);
}

/* A number in [low, high]; what was there before if the member isn't, unless it must be. */
static void number(const struct part *p, const char *name, bool must, double low, double high,
                   double *value)
{
    const json_t *m = member(p, name);
    if (!m && must)
        complain(p, name, "is not there");
    else if (m && !json_is_number(m))
        complain(p, name, "is not a number");
    if (!m || *p->why)
        return;
    double x = json_number_value(m);
    if (!(x >= low && x <= high))
        *p->why = sp_why("%s %g must be from %g to %g", full_name(p, name), x, low, high);
    else
        *value = x;
}

static void whole(const struct part *p, const char *name, bool must, long low, long high,
                  long *value)
{
    double x = (double)*value;
    number(p, name, must, (double)low, (double)high, &x);
    if (!*p->why && x != floor(x))
        *p->why = sp_why("%s %g must be a whole number", full_name(p, name), x);
    if (!*p->why)
        *value = (long)x;
}

static void integer(const struct part *p, const char *name, bool must, int low, int high,
                    int *value)
{
    long x = *value;
    whole(p, name, must, low, high, &x);
    *value = (int)x;
}

static void text(const struct part *p, const char *name, bool must, char **value)
{
    const json_t *m = member(p, name);
    if (!m && must)
        complain(p, name, "is not there");
    else if (m && !json_is_string(m))
        complain(p, name, "is not a text");
    else if (m && json_string_length(m) > MOST_TEXT)
        complain(p, name, "is too long");
    else if (m)
        *value = strdup(json_string_value(m));
}

/* The place of a text among names. */
static int name_of(const struct part *p, const char *name, const char *const *names, int n)
{
    char *value = NULL;
    text(p, name, true, &value);
    int place = 0;
    while (value && place < n && strcmp(value, names[place]))
        place++;
    if (value && place == n)
        *p->why = sp_why("%s \"%s\" is not known", full_name(p, name), value);
    free(value);
    return place < n ? place : 0;
}

/* Whether all members are among `known`, which ends with NULL. */
static void only(const struct part *p, const char *const *known)
{
    if (*p->why)
        return;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)p->in, key, value) {
        int i = 0;
        while (known[i] && strcmp(key, known[i]))
            i++;
        if (!known[i])
            complain(p, key, "is not known");
    }
}

static struct part inside(const struct part *p, const json_t *in, const char *name)
{
    struct part q = { .in = in, .why = p->why };
    snprintf(q.name, sizeof q.name, "%.60s", full_name(p, name));
    if (in && !json_is_object(in))
        complain(p, name, "is not an object");
    return q;
}

/* [[x, y], ...], x rising. */
static void curve(const struct part *p, const char *name, struct sp_curve *c)
{
    const json_t *list = member(p, name);
    if (!list)
        return;
    if (!json_is_array(list) || json_array_size(list) > MOST_POINTS) {
        complain(p, name, "is not a list of at most 1000 points");
        return;
    }
    for (size_t i = 0; i < json_array_size(list) && !*p->why; i++) {
        const json_t *point = json_array_get(list, i);
        const json_t *px = json_array_get(point, 0), *py = json_array_get(point, 1);
        if (json_array_size(point) != 2 || !json_is_number(px) || !json_is_number(py)) {
            *p->why = sp_why("%s[%zu] is not [x, y]", full_name(p, name), i);
            return;
        }
        double x = json_number_value(px), y = json_number_value(py);
        if (!(x > 0 && x <= MOST_SIZE && y > 0 && y <= MOST_FACTOR))
            *p->why = sp_why("%s[%zu] [%g, %g] must be above 0, and at most [%g, %g]",
                             full_name(p, name), i, x, y, MOST_SIZE, MOST_FACTOR);
        else if (c->n && x <= c->x[c->n - 1])
            *p->why = sp_why("%s[%zu] %g must be above %g, the point before it",
                             full_name(p, name), i, x, c->x[c->n - 1]);
        else
            sp_curve_add(c, x, y);
    }
}

/* [low, high] */
static void range(const struct part *p, const char *name, double *low, double *high)
{
    const json_t *m = member(p, name);
    const json_t *from = json_array_get(m, 0), *to = json_array_get(m, 1);
    *low = json_number_value(from);
    *high = json_number_value(to);
    if (!*p->why && (json_array_size(m) != 2 || !json_is_number(from) || !json_is_number(to) ||
                     !(*low >= 0 && *low <= *high && *high <= MOST_SIZE)))
        complain(p, name, "is not [lowest, highest]");
}

/* ---- the parts of a profile -------------------------------------------------------- */

static void read_kernel(const struct part *p, struct sp_kernel_fit *k)
{
    static const char *const known[] = {
        "op", "dtype", "dim", "tile_rows", "tile_keys", "launch", "prologue", "tile", "masked",
        "row", "key", "host", "alone", "tail", "split", "correction", "residual", "samples", "rows",
        "keys", "source", NULL
    };
    static const char *const ops[] = { "attn", "grad" };
    only(p, known);
    k->op = name_of(p, "op", ops, 2) ? SP_GRAD : SP_ATTN;
    k->dtype = name_of(p, "dtype", sp_dtype_names, 2) ? SP_BF16 : SP_F32;
    integer(p, "dim", true, 1, MOST_DIM, &k->dim);
    integer(p, "tile_rows", true, 1, MOST_TILE, &k->tile_rows);
    integer(p, "tile_keys", true, 1, MOST_TILE, &k->tile_keys);
    number(p, "launch", true, 0, MOST_SECONDS, &k->launch);
    number(p, "prologue", true, 0, MOST_SECONDS, &k->prologue);
    number(p, "tile", true, 1e-15, MOST_SECONDS, &k->tile);
    number(p, "row", false, 0, MOST_SECONDS, &k->row);
    number(p, "key", false, 0, MOST_SECONDS, &k->key);
    number(p, "host", false, 0, MOST_SECONDS, &k->host);
    k->masked = 1;
    number(p, "masked", false, 0, 1000, &k->masked);
    k->alone = 1;
    number(p, "alone", false, 0.5, 1, &k->alone);
    number(p, "tail", false, 0, 1, &k->tail);
    number(p, "split", false, 0, 1, &k->split);
    curve(p, "correction", &k->correction);
    number(p, "residual", false, 0, 1000, &k->residual);
    whole(p, "samples", false, 0, 1L << 40, &k->samples);
    range(p, "rows", &k->low_rows, &k->high_rows);
    range(p, "keys", &k->low_keys, &k->high_keys);
    text(p, "source", true, &k->source);
}

static void read_kernels(const struct part *p, struct sp_profile *f)
{
    const json_t *list = member(p, "kernels");
    if (!list)
        return;
    if (!json_is_array(list) || json_array_size(list) > MOST_KERNELS) {
        complain(p, "kernels", "is not a list of at most 1000 kernels");
        return;
    }
    size_t n = json_array_size(list);
    f->kernel = sp_alloc(n * sizeof *f->kernel);
    for (size_t i = 0; i < n && !*p->why; i++) {
        char name[32];
        snprintf(name, sizeof name, "kernels[%zu]", i);
        struct part kernel = inside(p, json_array_get(list, i), name);
        struct sp_kernel_fit *k = &f->kernel[f->nkernels++];
        read_kernel(&kernel, k);
        for (int j = 0; j + 1 < f->nkernels && !*p->why; j++)
            if (f->kernel[j].op == k->op && f->kernel[j].dtype == k->dtype &&
                f->kernel[j].dim == k->dim)
                *p->why = sp_why("%s is of the op, dtype and dim that kernels[%d] is of",
                                 name, j);
    }
}

static void read_stream(const struct part *p, struct sp_stream_fit *s)
{
    static const char *const known[] = { "launch", "rate", "element", "source", NULL };
    only(p, known);
    s->known = true;
    number(p, "launch", true, 0, MOST_SECONDS, &s->launch);
    curve(p, "element", &s->element);
    number(p, "rate", s->element.n == 0, s->element.n ? 0 : 1, MOST_RATE, &s->rate);
    text(p, "source", true, &s->source);
}

static void truth(const struct part *p, const char *name, bool *value)
{
    const json_t *x = member(p, name);
    if (x && !json_is_boolean(x))
        complain(p, name, "is neither true nor false");
    *value = json_is_true(x);
}

static void read_path(const struct part *p, struct sp_path_fit *f)
{
    static const char *const known[] = {
        "latency", "each", "rate", "efficiency", "concurrent", "half", "residual", "source", NULL
    };
    only(p, known);
    f->known = true;
    number(p, "latency", true, 0, MOST_SECONDS, &f->latency);
    number(p, "each", false, 0, MOST_SECONDS, &f->each);
    number(p, "rate", false, 0, MOST_RATE, &f->rate);
    curve(p, "efficiency", &f->efficiency);
    integer(p, "concurrent", false, 0, 1 << 20, &f->concurrent);
    truth(p, "half", &f->half);
    number(p, "residual", false, 0, 1000, &f->residual);
    text(p, "source", true, &f->source);
}

static void read_streams(const struct part *p, struct sp_profile *f)
{
    static const char *const known[] = { "delta", "merge", "add", "copy", NULL };
    static const enum sp_op op[] = { SP_DELTA, SP_MERGE, SP_ADD, SP_COPY };
    struct part streams = inside(p, member(p, "streams"), "streams");
    only(&streams, known);
    for (int i = 0; known[i]; i++) {
        const json_t *in = member(&streams, known[i]);
        struct part stream = inside(&streams, in, known[i]);
        if (in)
            read_stream(&stream, &f->stream[op[i]]);
    }
}

static void read_paths(const struct part *p, struct sp_profile *f)
{
    struct part paths = inside(p, member(p, "paths"), "paths");
    only(&paths, sp_path_names);
    for (int i = 0; i < SP_NPATH_CLASSES; i++) {
        const json_t *in = member(&paths, sp_path_names[i]);
        struct part path = inside(&paths, in, sp_path_names[i]);
        if (in)
            read_path(&path, &f->path[i]);
    }
}

static void read_links(const struct part *p, struct sp_profile *f)
{
    const char *known[SP_NLINK_KINDS + 2] = { 0 };
    memcpy(known, sp_link_names, SP_NLINK_KINDS * sizeof *known);
    known[SP_NLINK_KINDS] = "source";
    struct part links = inside(p, member(p, "links"), "links");
    only(&links, known);
    for (int i = 0; i < SP_NLINK_KINDS; i++) {
        f->link[i] = 1;
        number(&links, sp_link_names[i], false, 1e-6, 1, &f->link[i]);
    }
    text(&links, "source", false, &f->link_source);
}

static void read_interference(const struct part *p, struct sp_profile *f)
{
    static const char *const known[] = { "compute", "comm", "queue", "source", NULL };
    struct part i = inside(p, member(p, "interference"), "interference");
    only(&i, known);
    number(&i, "compute", false, 0, 1000, &f->interference.compute);
    number(&i, "comm", false, 0, 1000, &f->interference.comm);
    truth(&i, "queue", &f->interference.queue);
    text(&i, "source", false, &f->interference.source);
}

static void read_all(const struct part *p, struct sp_profile *f)
{
    static const char *const known[] = {
        "seqpar_profile", "name", "device", "library", "source", "measured", "device_source",
        "slots", "ctas", "memory", "poll", "pass", "kernels", "streams", "paths", "links",
        "interference", "issue", "issue_source", NULL
    };
    if (!member(p, "seqpar_profile"))
        complain(p, "seqpar_profile", "is not there: not a profile of seqpar");
    integer(p, "seqpar_profile", true, SP_PROFILE_VERSION, SP_PROFILE_VERSION, &f->version);
    only(p, known);
    text(p, "name", true, &f->name);
    text(p, "device", true, &f->device);
    text(p, "library", true, &f->library);
    text(p, "source", true, &f->source);
    text(p, "device_source", false, &f->device_source);
    truth(p, "measured", &f->measured);
    integer(p, "slots", true, 1, MOST_SLOTS, &f->slots);
    integer(p, "ctas", false, 0, f->slots - 1, &f->ctas);
    number(p, "memory", false, 0, MOST_MEMORY, &f->memory);
    number(p, "issue", false, 0, MOST_SECONDS, &f->issue);
    text(p, "issue_source", false, &f->issue_source);
    number(p, "poll", false, 0, MOST_SECONDS, &f->poll);
    number(p, "pass", false, 0, MOST_SECONDS, &f->pass);
    read_kernels(p, f);
    read_streams(p, f);
    read_paths(p, f);
    read_links(p, f);
    read_interference(p, f);
}

struct sp_profile *sp_profile_read(const json_t *root, const char **why)
{
    const char *wrong = NULL;
    struct sp_profile *f = sp_alloc(sizeof *f);
    read_all(&(struct part){ .in = root, .why = &wrong }, f);
    if (!wrong)
        return f;
    sp_profile_free(f);
    *why = wrong;
    return NULL;
}

struct sp_profile *sp_profile_load(const char *path, const char **why)
{
    path = sp_data_find("profiles", path);
    if (access(path, F_OK)) {
        *why = sp_why("'%s' is no file, and no profile of that name comes with seqpar; "
                      "seqpar info lists them", path);
        return NULL;
    }
    json_t *root = sp_json_load(path, why);
    if (!root)
        return NULL;
    struct sp_profile *f = sp_profile_read(root, why);
    json_decref(root);
    if (!f)
        *why = sp_why("%s: %s", path, *why);
    return f;
}
