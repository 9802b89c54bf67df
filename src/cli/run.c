/* run.c - `seqpar run`: every point of the sweep, on as many of the launched ranks as it is
 * for. All ranks walk the same points; rank 0 writes. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/context.h"
#include "cli/launch.h"
#include "cli/outputs.h"
#include "cli/points.h"
#include "cli/rows.h"
#include "cli/verbs.h"
#include "measure/dump.h"
#include "report/results.h"
#include "report/trace.h"
#include "util/memory.h"
#include "util/stop.h"

struct sweep {
    const struct sp_options *o;
    struct sp_launch launch;
    struct sp_setup setup;
    struct sp_point *point;
    int n;
    struct sp_outputs out;              /* rank 0 */
    struct sp_results before;           /* rank 0: what the file had */
    long of[SP_NSTATUSES];              /* rows of points asked for, by status; rank 0 */
    double local[SP_NPASSES];           /* medians of one rank alone, for the problem ... */
    struct sp_problem local_for;        /* ... of this */
    int shown;                          /* the point to dump and trace; -1 */
};

static bool writes(const struct sweep *w) { return w->launch.world->rank == 0; }

static void emit(struct sweep *w, const struct sp_point *p, const struct sp_point_row *r)
{
    sp_outputs_row(&w->out, &r->row);
    w->of[r->row.status] += !p->baseline;
}

/* Rows of all passes and modes that were asked for. */
static void emit_all(struct sweep *w, const struct sp_point *p, const struct sp_outcome *o,
                     enum sp_status status, const char *why)
{
    int modes = o && w->o->decompose && !o->why && o->verdict.passed ? SP_NMODES : 1;
    bool known = sp_points_same_problem(&w->local_for, &p->pb);
    for (int pass = 0; pass < SP_NPASSES; pass++)
        for (int mode = 0; w->o->pass[pass] && mode < modes; mode++) {
            struct sp_point_row r;
            sp_row_begin(&r, p, pass, mode, &w->setup);
            if (o)
                sp_row_measured(&r, p, o, pass, mode, known ? w->local[pass] : NAN, &w->setup);
            else
                sp_row_fail(&r, status, why);
            emit(w, p, &r);
        }
}

/* ---- what is left to do ------------------------------------------------------------- */

/* Whether the file has all rows of the point. Times of one rank alone are taken from it. */
static bool in_file(struct sweep *w, const struct sp_point *p)
{
    int modes = w->o->decompose && !p->why[0] ? SP_NMODES : 1;
    bool local = !strcmp(p->strategy->name, "local");
    for (int pass = 0; pass < SP_NPASSES; pass++)
        for (int mode = 0; w->o->pass[pass] && mode < modes; mode++) {
            struct sp_point_row r;
            sp_row_begin(&r, p, pass, mode, &w->setup);
            if (!sp_results_settled(&w->before, &r.row))
                return false;
            if (local && mode == SP_OVERLAPPED) {
                w->local_for = p->pb;
                w->local[pass] = sp_results_time(&w->before, &r.row);
            }
        }
    return true;
}

/* Rank 0 has read the file; all must agree. */
static bool is_settled(struct sweep *w, const struct sp_point *p)
{
    double settled = w->o->resume && writes(w) && in_file(w, p);
    struct sp_comm *c = w->launch.world;
    c->transport->reduce(c, &settled, 1, SP_MAX);
    return settled > 0;
}

/* NULL, or why the point does not fit in the memory of a host. The same on all ranks. */
static const char *too_large(struct sweep *w, const struct sp_plan *p)
{
    static char why[160];
    struct sp_comm *c = w->launch.world;
    double need = 0, over[2];
    double verify = (double)p->pb.seq * (16.0 * p->pb.dim + 64);    /* keys and queries of a head */
    for (int r = 0; r < p->pb.ranks && r < c->local; r++)
        need += (double)sp_real_bytes(p, r, w->launch.kernels) + verify;
    double have = sp_memory_available();
    over[0] = need - have;
    over[1] = need;
    c->transport->reduce(c, over, 2, SP_MAX);
    if (over[0] <= 0)
        return NULL;
    snprintf(why, sizeof why, "out of memory: %.2f GiB are needed on a host, %.2f are there",
             over[1] / (1 << 30), (over[1] - over[0]) / (1 << 30));
    return why;
}

/* ---- a point ---------------------------------------------------------------------------- */

static void remember_local(struct sweep *w, const struct sp_point *p, const struct sp_outcome *o)
{
    if (strcmp(p->strategy->name, "local") || !o->verdict.passed)
        return;
    w->local_for = p->pb;
    for (int pass = 0; pass < SP_NPASSES; pass++)
        w->local[pass] = sp_timing_median(&o->pass[pass].time[SP_OVERLAPPED]);
}

static void measure(struct sweep *w, struct sp_comm *c, int i, const struct sp_plan *plan)
{
    const struct sp_point *p = &w->point[i];
    bool shown = i == w->shown;
    struct sp_effort effort = {
        .iters = (int)w->o->iters, .warmup = (int)w->o->warmup, .seconds = w->o->seconds,
        .decompose = w->o->decompose, .seed = (unsigned long)w->o->seed,
        .trace = w->o->trace && shown, .dump = shown ? w->o->dump : NULL,
        .strategy = p->strategy->name,
    };
    c->patience = w->o->timeout;
    struct sp_outcome o = sp_measure(c, plan, w->launch.kernels, w->launch.threads, &effort);
    if (sp_outcome_rate(&o) > w->launch.peak[p->pb.dtype] * w->launch.threads && writes(w))
        sp_launch_peak(&w->launch, p->pb.dtype);
    remember_local(w, p, &o);
    if (writes(w))
        emit_all(w, p, &o, SP_POINT_OK, NULL);
    const char *why = o.span ? sp_trace_write(w->o->trace, plan, c, o.span) : NULL;
    if (why)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    sp_outcome_free(&o);
}

static void progress(const struct sweep *w, int i)
{
    const struct sp_point *p = &w->point[i];
    if (writes(w) && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K[%d/%d] %s sp=%d seq=%ld\r", i + 1, w->n, p->strategy->name,
                p->pb.ranks, p->pb.seq);
}

static void do_point(struct sweep *w, int i)
{
    const struct sp_point *p = &w->point[i];
    struct sp_comm *world = w->launch.world;
    if (is_settled(w, p))
        return;
    if (p->why[0]) {
        if (writes(w))
            emit_all(w, p, NULL, SP_POINT_REFUSED, p->why);
        return;
    }
    progress(w, i);
    struct sp_plan *plan = sp_strategy_plan(p->strategy, &p->pb);
    const char *why = too_large(w, plan);
    if (why && writes(w))
        emit_all(w, p, NULL, SP_POINT_FAILED, why);
    if (!why) {
        struct sp_comm *c = world->transport->split(world, p->pb.ranks);
        if (c) {
            measure(w, c, i, plan);
            world->transport->close(c);
        }
        world->patience = c ? w->o->timeout : 0;    /* who has no part waits for ever */
        world->transport->barrier(world);
        world->patience = w->o->timeout;
    }
    sp_plan_free(plan);
}

/* ---- the sweep ---------------------------------------------------------------------------- */

static void dry_run(const struct sweep *w)
{
    printf("#%3s  %-10s %4s %8s  %s\n", "", "strategy", "sp", "seq", "what it needs");
    for (int i = 0; i < w->n; i++) {
        const struct sp_point *p = &w->point[i];
        printf("%4d  %-10s %4d %8ld  ", i + 1, p->strategy->name, p->pb.ranks, p->pb.seq);
        if (p->why[0]) {
            printf("refused: %s\n", p->why);
            continue;
        }
        struct sp_plan *plan = sp_strategy_plan(p->strategy, &p->pb);
        struct sp_count *c = sp_plan_counts(plan);
        double flops = 0;
        for (int j = 0; j < p->pb.ranks * SP_NPASSES; j++)
            flops += c[j].flops;
        printf("%.3f MiB a rank, %.4f TFLOP a repetition\n",
               (double)sp_real_bytes(plan, 0, w->launch.kernels) / (1 << 20), flops / 1e12);
        free(c);
        sp_plan_free(plan);
    }
}

/* Times of ranks that share a processor are right, but tell little about strategies. */
static void warn_if_crowded(const struct sweep *w)
{
    int busy = w->launch.world->local * w->launch.threads, have = sp_processors();
    if (writes(w) && busy > have)
        fprintf(stderr, "seqpar: note: %d threads in all share %d processors: times of points with "
                "more than that tell little\n", busy, have);
}

static void check_degrees(struct sp_options *o, int ranks)
{
    if (!o->sp.n) {
        o->sp.at = sp_alloc(sizeof *o->sp.at);
        o->sp.at[0] = ranks;
        o->sp.n = 1;
    }
    for (int i = 0; i < o->sp.n; i++)
        if (o->sp.at[i] > ranks)
            sp_stop_together(SP_EXIT_USAGE, "--sp %ld is more than the %d rank%s launched; start "
                             "with mpirun -n %ld seqpar run ...", o->sp.at[i], ranks,
                             ranks == 1 ? " that was" : "s that were", o->sp.at[i]);
}

/* The first point that was asked for and that can be. */
static int first_to_run(const struct sweep *w)
{
    for (int i = 0; i < w->n; i++)
        if (!w->point[i].baseline && !w->point[i].why[0])
            return i;
    return -1;
}

static const char *first_refusal(const struct sweep *w)
{
    int i = 0;
    while (!w->point[i].why[0])
        i++;
    return w->point[i].why;
}

static int exit_code(const struct sweep *w)
{
    long ok = w->of[SP_POINT_OK], refused = w->of[SP_POINT_REFUSED], all = 0;
    for (int i = 0; i < SP_NSTATUSES; i++)
        all += w->of[i];
    if (w->of[SP_POINT_WRONG] || w->of[SP_POINT_BYTES] || w->of[SP_POINT_TOO_FAST])
        return SP_EXIT_WRONG;
    if (all > ok + refused)
        return SP_EXIT_SOME;
    return all && all == refused ? SP_EXIT_USAGE : SP_EXIT_OK;
}

static void open_outputs(struct sweep *w, int argc, char **argv)
{
    const char *why = w->o->resume ? sp_results_read(&w->before, w->o->jsonl) : NULL;
    if (!why && w->o->trace)
        why = sp_trace_refuse(w->o->trace);
    if (!why && w->o->dump)
        why = sp_dump_refuse(w->o->dump);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
    json_t *context = sp_context(argc, argv, w->launch.world->ranks, w->launch.threads,
                                 w->launch.peak);
    sp_outputs_open(&w->out, w->o, context);
    json_decref(context);
}

int sp_run_main(int argc, char **argv)
{
    struct sp_options o = sp_options_read(SP_VERB_RUN, argc, argv);
    struct sweep w = { .o = &o, .local = { NAN, NAN } };
    w.launch = sp_launch_begin(&o);
    check_degrees(&o, w.launch.world->ranks);
    w.launch.world->patience = o.timeout;
    w.point = sp_points(&o, !o.no_baseline, &w.n);
    w.shown = first_to_run(&w);
    w.setup = (struct sp_setup){ .transport = w.launch.world->transport->name,
        .kernels = w.launch.kernels->name, .threads = w.launch.threads, .seed = o.seed,
        .peak = w.launch.peak };
    int code = SP_EXIT_OK;
    if (o.dry_run && writes(&w)) {
        dry_run(&w);
    } else if (!o.dry_run) {
        if (writes(&w))
            open_outputs(&w, argc, argv);
        warn_if_crowded(&w);
        for (int i = 0; i < w.n; i++)
            do_point(&w, i);
        if (writes(&w)) {
            sp_outputs_close(&w.out);
            sp_results_free(&w.before);
            code = exit_code(&w);
            if (code == SP_EXIT_USAGE)
                fprintf(stderr, "seqpar: all points were refused; the first: %s\n",
                        first_refusal(&w));
        }
    }
    sp_launch_end(&w.launch);
    free(w.point);
    return code;
}
