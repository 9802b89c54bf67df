/* calibrate_from.c - recipes. A recipe is a profile in which a kernel or path may have, in
 * place of numbers, the rows of published tables that they are fitted to ("fit"), and all
 * kernels may be those of another device's profile, scaled ("derive"). */
/* SPDX-License-Identifier: MIT */
#include "cli/calibrate_from.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/published.h"
#include "sim/profile.h"
#include "sim/profile_read.h"
#include "util/json.h"
#include "util/memory.h"
#include "util/stats.h"
#include "util/stop.h"
#include "util/why.h"

enum { HELD_OUT = 4, ENOUGH_TO_HOLD = 8, MOST_TABLES = 16 };

/* ---- the part of a recipe that is a profile ---------------------------------------- */

static void put_number(json_t *in, const char *name, double x)
{
    if (!sp_json_get(in, name))
        json_object_set_new(in, name, json_real(x));
}

/* Numbers that the fit will replace, so that a profile is what it is read as. */
static void stand_in(json_t *part, bool kernel)
{
    json_object_del(part, "fit");
    put_number(part, kernel ? "launch" : "latency", 0);
    if (!kernel)
        return;
    put_number(part, "prologue", 0);
    put_number(part, "tile", 1);
    json_object_set_new(part, "rows", json_pack("[i,i]", 0, 0));
    json_object_set_new(part, "keys", json_pack("[i,i]", 0, 0));
}

static struct sp_profile *fixed_part(const json_t *recipe, const char **why)
{
    json_t *root = json_deep_copy(recipe), *part;
    json_object_del(root, "seqpar_recipe");
    json_object_del(root, "derive");
    json_object_set_new(root, "seqpar_profile", json_integer(SP_PROFILE_VERSION));
    size_t i;
    json_array_foreach(json_object_get(root, "kernels"), i, part)
        if (sp_json_get(part, "fit"))
            stand_in(part, true);
    const char *name;
    json_object_foreach(json_object_get(root, "paths"), name, part)
        if (sp_json_get(part, "fit"))
            stand_in(part, false);
    struct sp_profile *p = sp_profile_read(root, why);
    json_decref(root);
    return p;
}

/* ---- which rows -------------------------------------------------------------------- */

/* A text member; NULL if there is none. */
static const char *text_of(const json_t *in, const char *name)
{
    return json_string_value(sp_json_get(in, name));
}

/* `name` in the folder of the recipe. */
static void beside(char *path, size_t room, const char *recipe, const char *name)
{
    const char *last = strrchr(recipe, '/');
    int folder = *name == '/' || !last ? 0 : (int)(last - recipe) + 1;
    snprintf(path, room, "%.*s%s", folder, recipe, name);
}

static const char *which(const char *recipe, const json_t *in, char path[4096],
                         struct sp_published *from)
{
    const char *csv = text_of(in, "csv");
    if (!csv)
        return sp_why("\"fit\": no csv, the name of a table, in it");
    static const char *const texts[] = { "hardware", "kernel", "collective" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (sp_json_get(in, texts[i]) && !text_of(in, texts[i]))
            return sp_why("\"fit\": %s is not a text", texts[i]);
    beside(path, 4096, recipe, csv);
    *from = (struct sp_published){
        .path = path,
        .hardware = text_of(in, "hardware"),
        .kernel = text_of(in, "kernel"),
        .collective = text_of(in, "collective"),
        .less_forward = json_is_true(sp_json_get(in, "less_forward")),
    };
    return NULL;
}

/* What was used, as a reader of the profile needs to know it: "name.csv (hardware, kernel)". */
static void name_rows(char *to, size_t room, const struct sp_published *from)
{
    const char *base = strrchr(from->path, '/');
    size_t used = strlen(to);
    snprintf(to + used, room - used, "%s%s (%s%s%s)", used ? ", " : "",
             base ? base + 1 : from->path, from->hardware ? from->hardware : "all",
             from->kernel || from->collective ? ", " : "",
             from->kernel ? from->kernel : from->collective ? from->collective : "");
}

static void append(char **source, const char *more)
{
    size_t bytes = strlen(*source) + strlen(more) + 3;
    char *both = sp_alloc(bytes);
    snprintf(both, bytes, "%s%s%s", *source, **source ? "; " : "", more);
    free(*source);
    *source = both;
}

/* ---- kernels ----------------------------------------------------------------------- */

struct quality { double median, high; int n; };         /* of |log error|; high: 95 % */

static struct quality judge(const struct sp_kernel_fit *k, int slots, const struct sp_sample *s,
                            int n)
{
    struct quality q = { NAN, NAN, 0 };
    double *error = sp_fit_errors(k, slots, s, n, &q.n);
    if (q.n) {
        q.median = sp_median(error, q.n);
        q.high = error[(int)(0.95 * (q.n - 1) + 0.5)];
    }
    free(error);
    return q;
}

/* Fit three quarters, judge by the fourth: every HELD_OUT-th. */
static struct quality hold_out(const struct sp_kernel_fit *like, int slots,
                               const struct sp_sample *s, int n)
{
    struct sp_sample *keep = sp_alloc((size_t)n * sizeof *keep);
    struct sp_sample *held = sp_alloc((size_t)n * sizeof *held);
    int kept = 0, out = 0;
    for (int i = 0; i < n; i++)
        *(i % HELD_OUT == HELD_OUT - 1 ? &held[out++] : &keep[kept++]) = s[i];
    struct sp_kernel_fit k = *like;
    k.correction = (struct sp_curve){ 0 };
    struct quality q = { NAN, NAN, 0 };
    if (n >= ENOUGH_TO_HOLD && !sp_fit_kernel(&k, slots, keep, kept))
        q = judge(&k, slots, held, out);
    sp_curve_free(&k.correction);
    free(keep);
    free(held);
    return q;
}

static const char *fit_samples(struct sp_profile *p, struct sp_kernel_fit *k, const char *rows,
                               const struct sp_sample *s, int n)
{
    struct quality out = hold_out(k, p->slots, s, n);
    const char *why = sp_fit_kernel(k, p->slots, s, n);
    if (why)
        return why;
    struct quality all = judge(k, p->slots, s, n);
    char text[1024];
    snprintf(text, sizeof text, "fitted to %d rows of %s: median error %.1f %%, 95 %% of them "
             "below %.1f %%", n, rows, 100 * all.median, 100 * all.high);
    append(&k->source, text);
    if (out.n) {
        snprintf(text, sizeof text, "every fourth row left out and predicted: %.1f %%, %.1f %%",
                 100 * out.median, 100 * out.high);
        append(&k->source, text);
    }
    printf("%-10s %s %s d%-3d %4d rows: median %4.1f %%, p95 %4.1f %%", p->name,
           sp_ops[k->op].name, sp_dtype_names[k->dtype], k->dim, n, 100 * all.median,
           100 * all.high);
    if (out.n)
        printf("; %d held out: median %4.1f %%, p95 %4.1f %%", out.n, 100 * out.median,
               100 * out.high);
    printf("\n");
    return NULL;
}

static const char *fit_kernel(const char *recipe, const json_t *fit, struct sp_profile *p,
                              struct sp_kernel_fit *k)
{
    struct sp_sample *s = NULL;
    int n = 0;
    char rows[512] = "", path[4096];
    const char *why = json_array_size(fit) < 1 || json_array_size(fit) > MOST_TABLES
        ? sp_why("\"fit\" is not a list of at most %d tables", MOST_TABLES) : NULL;
    for (size_t i = 0; i < json_array_size(fit) && !why; i++) {
        struct sp_published from;
        why = which(recipe, json_array_get(fit, i), path, &from);
        if (!why)
            why = sp_published_kernels(&from, k, &s, &n);
        if (!why)
            name_rows(rows, sizeof rows, &from);
    }
    if (!why)
        why = fit_samples(p, k, rows, s, n);
    free(s);
    return why;
}

static const char *fit_kernels(const char *recipe, const json_t *root, struct sp_profile *p)
{
    const char *why = NULL;
    for (int i = 0; i < p->nkernels && !why; i++) {
        const json_t *in = json_array_get(sp_json_get(root, "kernels"), (size_t)i);
        const json_t *fit = sp_json_get(in, "fit");
        if (fit)
            why = fit_kernel(recipe, fit, p, &p->kernel[i]);
        if (why)
            why = sp_why("kernels[%d]: %s", i, why);
    }
    return why;
}

/* ---- paths ------------------------------------------------------------------------- */

static const char *fit_path(const char *recipe, const json_t *in, const char *profile,
                            const char *name, struct sp_path_fit *f)
{
    struct sp_published from;
    struct sp_transfer *t = NULL;
    int n = 0;
    char path[4096], rows[512] = "", text[1024];
    const char *why = which(recipe, sp_json_get(in, "fit"), path, &from);
    if (!why)
        why = sp_published_transfers(&from, &t, &n);
    if (!why)
        why = sp_fit_path(f, t, n);
    free(t);
    if (why)
        return sp_why("paths.%s: %s", name, why);
    name_rows(rows, sizeof rows, &from);
    snprintf(text, sizeof text, "fitted to %d rows of %s: median error %.1f %%", n, rows,
             100 * f->residual);
    append(&f->source, text);
    printf("%-10s %-6s %4d rows: %.1f us, %.1f GB/s, median error %.1f %%\n", profile, name, n,
           f->latency * 1e6, f->rate / 1e9, 100 * f->residual);
    return NULL;
}

static const char *fit_paths(const char *recipe, const json_t *root, struct sp_profile *p)
{
    const json_t *paths = sp_json_get(root, "paths");
    for (int i = 0; i < SP_NPATH_CLASSES; i++) {
        const json_t *in = sp_json_get(paths, sp_path_names[i]);
        const char *why = sp_json_get(in, "fit")
            ? fit_path(recipe, in, p->name, sp_path_names[i], &p->path[i]) : NULL;
        if (why)
            return why;
    }
    return NULL;
}

/* ---- another device's kernels ------------------------------------------------------ */

/* A slot's speed goes by the ratio of the peaks, launches stay. */
static void derive_kernel(struct sp_profile *p, struct sp_kernel_fit k, double faster,
                          double slower, const char *said)
{
    struct sp_curve curve = k.correction;
    k.prologue *= slower;
    k.tile *= slower;
    k.correction = (struct sp_curve){ 0 };
    for (int i = 0; i < curve.n; i++)
        sp_curve_add(&k.correction, curve.x[i] * faster, curve.y[i]);
    char *of = k.source;
    k.source = strdup(said);
    append(&k.source, of);
    p->kernel[p->nkernels++] = k;
}

static const char *derive(const char *recipe, const json_t *in, struct sp_profile *p)
{
    const char *name = text_of(in, "profile"), *source = text_of(in, "source"), *why = NULL;
    double peak = json_number_value(sp_json_get(in, "peak"));
    double theirs = json_number_value(sp_json_get(in, "their_peak"));
    if (!name || !source || !(peak > 0 && peak < 1e20 && theirs > 0 && theirs < 1e20))
        return sp_why("derive: profile, source, peak and their_peak (FLOP/s) must be there");
    char path[4096], said[1024];
    beside(path, sizeof path, recipe, name);
    struct sp_profile *from = sp_profile_load(path, &why);
    if (!from)
        return why;
    int most = p->nkernels + from->nkernels;
    struct sp_kernel_fit *all = sp_alloc((size_t)most * sizeof *all);
    if (p->nkernels)
        memcpy(all, p->kernel, (size_t)p->nkernels * sizeof *all);
    free(p->kernel);
    p->kernel = all;
    snprintf(said, sizeof said, "NOT MEASURED on this device: the kernel of %s (%s), tiles by "
             "the ratio of peaks, %g / %g FLOP/s (%s)", from->name, from->device, peak, theirs,
             source);
    double slower = theirs / from->slots / (peak / p->slots);
    for (int i = 0; i < from->nkernels; i++)
        derive_kernel(p, from->kernel[i], peak / theirs, slower, said);
    printf("%-10s %d kernels of %s, a slot's time x %.3f\n", p->name, from->nkernels, from->name,
           slower);
    sp_profile_free(from);
    return NULL;
}

/* ---- all of it --------------------------------------------------------------------- */

static const char *follow(const char *recipe, const json_t *root, const char *out)
{
    const char *why = NULL;
    long version;
    if (!sp_json_get(root, "seqpar_recipe"))
        return sp_why("seqpar_recipe is not there: not a recipe");
    why = sp_json_whole(root, "seqpar_recipe", 1, 1, 1, &version);
    struct sp_profile *p = why ? NULL : fixed_part(root, &why);
    if (!p)
        return why;
    why = fit_kernels(recipe, root, p);
    if (!why)
        why = fit_paths(recipe, root, p);
    if (!why && sp_json_get(root, "derive"))
        why = derive(recipe, sp_json_get(root, "derive"), p);
    if (!why)
        why = sp_profile_save(p, out);
    sp_profile_free(p);
    return why;
}

int sp_calibrate_from(const char *recipe, const char *out)
{
    const char *why = NULL;
    json_t *root = sp_json_load(recipe, &why);
    if (root) {
        why = follow(recipe, root, out);
        why = why ? sp_why("%s: %s", recipe, why) : NULL;
        json_decref(root);
    }
    if (why)
        fprintf(stderr, "seqpar: %s\n", why);
    return why ? SP_EXIT_ENVIRONMENT : SP_EXIT_OK;
}
