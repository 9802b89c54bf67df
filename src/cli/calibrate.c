/* calibrate.c - `seqpar calibrate`: a profile of this machine, and how well it fits. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/calibrate_from.h"
#include "cli/context.h"
#include "cli/launch.h"
#include "cli/verbs.h"
#include "measure/calibrate.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/memory.h"
#include "util/stats.h"
#include "util/stop.h"
#include "util/why.h"

static double began;

static void progress(const char *part)
{
    fprintf(stderr, "\r\033[K%3.0f s: %s\r", sp_now() - began, part);
}

/* ---- the file --------------------------------------------------------------------------- */

static const char *new_name(const char *path)
{
    static char name[4096];
    snprintf(name, sizeof name, "%s.new", path);
    return name;
}

/* Before anything is measured: can it be written, and is what would be replaced a profile? */
static const char *refuse(const char *path)
{
    const char *why, *beside = new_name(path);
    struct sp_profile *old = access(path, F_OK) ? NULL : sp_profile_load(path, &why);
    if (!old && !access(path, F_OK))
        return sp_why("--out: %s is there and is no profile, so it is not replaced", path);
    sp_profile_free(old);
    FILE *f = fopen(beside, "w");
    if (!f)
        return sp_why("cannot write %s: %s", beside, strerror(errno));
    fclose(f);
    remove(beside);
    return NULL;
}

static const char *save(const struct sp_profile *p, const char *path)
{
    const char *why = sp_profile_save(p, new_name(path));
    if (!why && rename(new_name(path), path))
        why = sp_why("cannot rename %s: %s", new_name(path), strerror(errno));
    return why;
}

/* ---- where it comes from ------------------------------------------------------------------- */

static const char *text_of(const json_t *context, const char *name)
{
    const json_t *v = sp_json_get(context, name);
    return json_is_string(v) ? json_string_value(v) : "unknown";
}

static char *command_of(const json_t *context)
{
    const json_t *words = sp_json_get(context, "command"), *word;
    char *text = sp_alloc(1 + (size_t)json_array_size(words) * 256);
    size_t i, at = 0;
    json_array_foreach(words, i, word)
        at += (size_t)snprintf(text + at, 256, "%s%.250s", i ? " " : "", json_string_value(word));
    return text;
}

/* my-machine of path/my-machine.json */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    size_t n = strlen(from);
    if (n > 5 && !strcmp(from + n - 5, ".json"))
        n -= 5;
    return strndup(from, n);
}

static void describe(struct sp_profile *p, const struct sp_launch *l, const char *path,
                     const json_t *context, const struct sp_calibration *c)
{
    char text[2048], *command = command_of(context);
    int held = 0;
    for (int i = 0; i < c->nfitted; i++)
        held += c->fitted[i].held_out;
    snprintf(text, sizeof text, "%s; %d rank%s (%d on a host), %d thread%s each; %s %s on %s, "
             "commit %s; %d sizes measured, %d of them held out of the fits%s", command,
             l->world->ranks, l->world->ranks > 1 ? "s" : "", l->world->local, l->threads,
             l->threads > 1 ? "s" : "", text_of(context, "date"), text_of(context, "version"),
             text_of(context, "host"), text_of(context, "commit"), c->nfitted, held,
             l->world->ranks > 1 ? "" : "; messages not measured: one rank");
    free(command);
    p->name = name_of(path);
    p->device = strdup(text_of(context, "processor"));
    p->library = strdup(l->kernels->name);
    p->source = strdup(text);
    p->memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / l->world->local;
    p->device_source = strdup("slots: threads of a rank; memory: its share of the host's; poll and "
                              "pass: measured");
}

/* ---- the table ---------------------------------------------------------------------------- */

static double off(const struct sp_fitted *f) { return f->fitted / f->measured - 1; }

static double median_off(const struct sp_fitted *f, int n, bool held_out, double *worst)
{
    double *x = sp_alloc((size_t)n * sizeof *x), median = NAN;
    int used = 0;
    *worst = 0;
    for (int i = 0; i < n; i++)
        if (f[i].held_out == held_out) {
            x[used] = fabs(off(&f[i]));
            *worst = fmax(*worst, x[used++]);
        }
    sp_sort(x, used);
    if (used)
        median = sp_median(x, used);
    free(x);
    return median;
}

/* Lines of one curve, and how far off they are together. */
static void print_curve(const struct sp_fitted *f, int n)
{
    double worst, worst_held;
    for (int i = 0; i < n; i++)
        printf("  %-22s %-28s %12.1f %12.1f %7.1f%s\n", f[i].what, f[i].size, f[i].measured * 1e6,
               f[i].fitted * 1e6, 100 * off(&f[i]), f[i].held_out ? "  held out" : "");
    double median = median_off(f, n, false, &worst), held = median_off(f, n, true, &worst_held);
    printf("# %s: median %.1f %%, worst %.1f %% off", f->what, 100 * median, 100 * worst);
    if (!isnan(held))
        printf("; held out: median %.1f %%, worst %.1f %%", 100 * held, 100 * worst_held);
    printf("\n");
}

static void print_table(const struct sp_calibration *c)
{
    printf("# %-22s %-28s %12s %12s %7s\n", "curve", "size", "measured", "fitted", "off");
    printf("# %-22s %-28s %12s %12s %7s\n", "", "", "(us)", "(us)", "(%)");
    for (int i = 0, n; i < c->nfitted; i += n) {
        for (n = 1; i + n < c->nfitted && !strcmp(c->fitted[i].what, c->fitted[i + n].what);)
            n++;
        print_curve(c->fitted + i, n);
    }
}

static void print_numbers(const struct sp_calibration *c)
{
    const struct sp_profile *p = c->profile;
    for (int i = 0; i < SP_NPATH_CLASSES; i++)
        if (p->path[i].known)
            printf("# %s: latency %.1f us, %.1f us a further message of a group, %.2f GB/s, at "
                   "once: %d%s\n", sp_path_names[i], p->path[i].latency * 1e6,
                   p->path[i].each * 1e6, p->path[i].rate / 1e9, p->path[i].concurrent,
                   p->path[i].half ? ", one direction at a time" : "");
    printf("# steps: %.1f us from one to the next; a pass: %.1f us beside them\n", c->gap * 1e6,
           p->pass * 1e6);
    printf("# overlapped: kernels slow down by %.2f, messages by %.2f; a message is noticed "
           "%.0f us late, a step %.0f us\n", p->interference.compute, p->interference.comm, p->poll * 1e6,
           c->late * 1e6);
}

/* What part of the network's nominal rate can be had: then links of any rate can be simulated. */
static void by_nominal(struct sp_profile *p, double net_rate)
{
    struct sp_path_fit *f = &p->path[SP_PATH_NET];
    if (!(net_rate > 0) || !f->known)
        return;
    p->link[SP_LINK_NET] = fmin(1, f->rate / net_rate);
    f->rate = 0;
}

/* ---- the verb ----------------------------------------------------------------------------- */

static double flops_of(const struct sp_launch *l, enum sp_dtype t)
{
    static const double slow = 2e8;         /* sets without a limit are not meant to be fast */
    return l->peak[t] > 0 ? l->peak[t] * l->threads : slow;
}

/* In less not even the small sizes are seen often enough. */
static void check_time(const struct sp_options *o)
{
    static const double least = 1;
    if (o->seconds < least)
        sp_stop_together(SP_EXIT_USAGE, "--time %g s is too short to measure anything; at least "
                         "%g s", o->seconds, least);
}

/* Ranks that share a processor are modelled, not calibrated. */
static void warn_if_crowded(const struct sp_launch *l)
{
    int busy = l->world->local * l->threads, have = sp_processors();
    if (l->world->rank == 0 && busy > have)
        fprintf(stderr, "seqpar: note: %d threads in all share %d processors: the profile is of "
                "ranks that wait for each other's; start fewer\n", busy, have);
}

int sp_calibrate_main(int argc, char **argv)
{
    struct sp_options o = sp_options_read(SP_VERB_CALIBRATE, argc, argv);
    if (o.from)
        return sp_calibrate_from(o.from, o.out);
    check_time(&o);
    struct sp_launch l = sp_launch_begin(&o);
    bool writes = l.world->rank == 0;
    began = sp_now();
    l.world->patience = o.timeout;
    const char *why = writes ? refuse(o.out) : NULL;
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
    warn_if_crowded(&l);
    struct sp_lab lab = { .c = l.world, .kernels = l.kernels, .threads = l.threads,
        .rate = { flops_of(&l, SP_F32), flops_of(&l, SP_BF16) }, .seed = 1 };
    struct sp_calibration c = { .lab = &lab, .seconds = o.seconds,
        .progress = writes && isatty(STDERR_FILENO) ? progress : NULL };
    why = sp_calibrate(&c);
    if (c.progress)
        fprintf(stderr, "\r\033[K");
    if (why)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    if (writes) {
        json_t *context = sp_context(argc, argv, l.world->ranks, l.threads, l.peak);
        describe(c.profile, &l, o.out, context, &c);
        json_decref(context);
        print_table(&c);
        print_numbers(&c);
        by_nominal(c.profile, o.net_rate);
        why = save(c.profile, o.out);
        if (why)
            sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
        printf("# %s: written after %.0f s\n", o.out, sp_now() - began);
    }
    sp_calibration_free(&c);
    sp_launch_end(&l);
    return SP_EXIT_OK;
}
