/* predict.c - `seqpar predict`: the points of run, in virtual time. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/context.h"
#include "cli/draw.h"
#include "cli/outputs.h"
#include "cli/points.h"
#include "cli/rows.h"
#include "cli/verbs.h"
#include "cli/venue.h"
#include "util/json.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/stop.h"
#include "util/why.h"

struct sweep {
    const struct sp_options *o;
    struct sp_venue venue;
    struct sp_setup setup;
    struct sp_point *point;
    int n;
    struct sp_outputs out;
    long of[SP_NSTATUSES];              /* rows of points asked for, by status */
    double local[SP_NPASSES];           /* of one rank alone, for the problem ... */
    struct sp_problem local_for;        /* ... of this */
    double *speed;                      /* by rank */
    int nspeeds;
};

/* ---- what slows which rank --------------------------------------------------------- */

static long most_ranks(const struct sp_options *o)
{
    long most = 1;
    for (int i = 0; i < o->sp.n; i++)
        most = o->sp.at[i] > most ? o->sp.at[i] : most;
    return most;
}

static void read_slow(struct sweep *w)
{
    long ranks = most_ranks(w->o);
    for (int i = 0; i < w->o->slow.n; i++) {
        char *text = w->o->slow.at[i], *colon = strchr(text, ':');
        long rank;
        double factor;
        if (!colon)
            sp_stop(SP_EXIT_USAGE, "--slow: '%s' is not RANK:FACTOR, such as 3:1.2", text);
        *colon = 0;
        const char *why = sp_parse_size(text, 0, SP_MAX_RANKS - 1, &rank);
        if (!why)
            why = sp_parse_real(colon + 1, 0.01, 1000, &factor);
        if (why)
            sp_stop(SP_EXIT_USAGE, "--slow: %s", why);
        *colon = ':';
        if (rank >= ranks)
            sp_stop(SP_EXIT_USAGE, "--slow: there is no rank %ld; they are 0 to %ld with --sp %ld",
                    rank, ranks - 1, ranks);
        for (; w->nspeeds <= rank; w->nspeeds++) {
            w->speed = sp_grow(w->speed, w->nspeeds, sizeof *w->speed);
            w->speed[w->nspeeds] = 1;
        }
        w->speed[rank] = 1 / factor;
    }
}

/* Of all ranks of a point; NULL: all alike. */
static double *speeds(const struct sweep *w, int ranks)
{
    if (!w->nspeeds)
        return NULL;
    double *speed = sp_alloc((size_t)ranks * sizeof *speed);
    for (int r = 0; r < ranks; r++)
        speed[r] = r < w->nspeeds ? w->speed[r] : 1;
    return speed;
}

/* "groups=1 per_node=8": what else the times depend on. */
static const char *placement(const struct sp_options *o)
{
    char *text;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    fprintf(to, o->groups ? "groups=%ld" : "groups=all", o->groups);
    fprintf(to, o->per_node ? " per_node=%ld" : " per_node=all", o->per_node);
    for (int i = 0; i < o->slow.n; i++)
        fprintf(to, " slow=%s", o->slow.at[i]);
    if (o->jitter > 0)
        fprintf(to, " jitter=%g", o->jitter);
    fclose(to);
    return text;
}

/* As many as there is room for; one that doesn't fit is to be refused. */
static int groups(const struct sweep *w, int ranks)
{
    int room = sp_place_room(w->venue.topo, ranks, (int)w->o->per_node);
    return w->o->groups ? (int)w->o->groups : room > 1 ? room : 1;
}

/* ---- a point --------------------------------------------------------------------------- */

static void emit_all(struct sweep *w, const struct sp_point *p, const struct sp_plan *plan,
                     const struct sp_forecast *f)
{
    int modes = w->o->decompose && f && !f->why ? SP_NMODES : 1;
    bool known = sp_points_same_problem(&w->local_for, &p->pb);
    for (int pass = 0; pass < SP_NPASSES; pass++)
        for (int mode = 0; w->o->pass[pass] && mode < modes; mode++) {
            struct sp_point_row r;
            sp_row_begin(&r, p, pass, mode, &w->setup);
            if (f)
                sp_row_forecast(&r, plan, f, pass, mode, known ? w->local[pass] : NAN);
            else
                sp_row_fail(&r, SP_POINT_REFUSED, p->why);
            sp_outputs_row(&w->out, &r.row);
            w->of[r.row.status] += !p->baseline;
        }
}

/* Bytes of the device that has least: machines of one profile come with more and with less. */
static double memory(const struct sp_venue *v)
{
    double least = INFINITY;
    for (int i = 0; i < v->topo->nmachines; i++) {
        double here = v->topo->machine[i].memory;
        least = fmin(least, here > 0 ? here : v->profile->memory > 0 ? v->profile->memory
                                                                     : INFINITY);
    }
    return isinf(least) ? 0 : least;
}

/* NULL, or why the buffers of a rank don't fit in its device. */
static const char *too_large(const struct sweep *w, const struct sp_forecast *f)
{
    double have = memory(&w->venue);
    if (!(have > 0) || f->memory <= have)
        return NULL;
    return sp_why("out of memory: %.2f GiB are needed on a rank, its device has %.2f",
                  f->memory / (1 << 30), have / (1 << 30));
}

static void remember_local(struct sweep *w, const struct sp_point *p, const struct sp_forecast *f)
{
    if (strcmp(p->strategy->name, "local") || f->why)
        return;
    w->local_for = p->pb;
    for (int pass = 0; pass < SP_NPASSES; pass++)
        w->local[pass] = f->pass[pass].time[SP_SIM_OVERLAPPED];
}

static void do_point(struct sweep *w, const struct sp_point *p, bool shown)
{
    if (p->why[0]) {
        emit_all(w, p, NULL, NULL);
        return;
    }
    struct sp_plan *plan = sp_strategy_plan(p->strategy, &p->pb);
    bool timeline = w->o->timeline && shown;
    double *speed = speeds(w, p->pb.ranks);
    struct sp_span *span = timeline ? sp_alloc((size_t)plan->nsteps * sizeof *span) : NULL;
    struct sp_forecast_options fo = {
        .groups = groups(w, p->pb.ranks), .per_node = (int)w->o->per_node,
        .decompose = w->o->decompose, .explicit_run = w->o->explicit_run, .eps = w->o->eps,
        .jitter = w->o->jitter, .seed = (unsigned long)w->o->seed, .speed = speed, .span = span };
    struct sp_forecast f = sp_predict(plan, w->venue.topo, w->venue.profile, &fo);
    if (!f.why)
        f.why = too_large(w, &f);
    remember_local(w, p, &f);
    emit_all(w, p, plan, &f);
    if (span && !f.why)
        sp_draw_simulated(&w->venue, p->strategy->name, plan, span, w->o->timeline);
    free(span);
    free(speed);
    sp_plan_free(plan);
}

/* ---- the sweep ---------------------------------------------------------------------------- */

static json_t *context(const struct sweep *w, int argc, char **argv)
{
    const struct sp_profile *f = w->venue.profile;
    json_t *c = sp_context(argc, argv, 0, 0, NULL);
    json_object_set_new(c, "cluster", sp_json_text(w->venue.topo->name));
    json_object_set_new(c, "profile", sp_json_text(f->name));
    json_object_set_new(c, "profile_device", sp_json_text(f->device));
    json_object_set_new(c, "profile_measured", json_boolean(f->measured));
    json_object_set_new(c, "profile_source", sp_json_text(f->source));
    return c;
}

static int exit_code(const struct sweep *w)
{
    long all = 0, refused = w->of[SP_POINT_REFUSED];
    for (int i = 0; i < SP_NSTATUSES; i++)
        all += w->of[i];
    if (all > w->of[SP_POINT_OK] + refused)
        return SP_EXIT_SOME;
    return all && all == refused ? SP_EXIT_USAGE : SP_EXIT_OK;
}

static const char *first_refusal(const struct sweep *w)
{
    int i = 0;
    while (!w->point[i].why[0])
        i++;
    return w->point[i].why;
}

/* A profile of one machine tells nothing of a network, least of all how messages slow kernels. */
static void warn(const struct sp_venue *v)
{
    if (v->topo->nnodes > 1 && !v->profile->path[SP_PATH_NET].known)
        fprintf(stderr, "seqpar: note: profile %s has nothing measured between machines: messages "
                "get the cluster file's rates, and overlap is as within a machine; calibrate over "
                "the network\n", v->profile->name);
}

static void begin(struct sweep *w, struct sp_options *o)
{
    const char *why = sp_venue_load(o->cluster, o->profile, &w->venue);
    if (why)
        sp_stop(o->cluster ? SP_EXIT_ENVIRONMENT : SP_EXIT_USAGE, "%s", why);
    warn(&w->venue);
    if (!o->sp.n) {
        int all = w->venue.topo->nendpoints;
        o->sp.at = sp_alloc(sizeof *o->sp.at);
        o->sp.at[0] = all < SP_MAX_RANKS ? all : SP_MAX_RANKS;
        o->sp.n = 1;
    }
    w->setup = (struct sp_setup){ .kernels = w->venue.profile->library, .threads = -1,
        .seed = o->jitter > 0 ? o->seed : -1, .cluster = w->venue.topo->name,
        .profile = w->venue.profile->name, .placement = placement(o) };
    w->point = sp_points(o, !o->no_baseline, &w->n);
    read_slow(w);
}

int sp_predict_main(int argc, char **argv)
{
    struct sp_options o = sp_options_read(SP_VERB_PREDICT, argc, argv);
    struct sweep w = { .o = &o, .local = { NAN, NAN } };
    bool shown = false;
    begin(&w, &o);
    json_t *c = context(&w, argc, argv);
    sp_outputs_open(&w.out, &o, c);
    json_decref(c);
    for (int i = 0; i < w.n; i++) {
        bool first = !shown && !w.point[i].baseline && !w.point[i].why[0];
        do_point(&w, &w.point[i], first);
        shown |= first;
    }
    sp_outputs_close(&w.out);
    int code = exit_code(&w);
    if (code == SP_EXIT_USAGE)
        fprintf(stderr, "seqpar: all points were refused; the first: %s\n",
                first_refusal(&w));
    sp_venue_free(&w.venue);
    free((char *)w.setup.placement);
    free(w.speed);
    free(w.point);
    return code;
}
