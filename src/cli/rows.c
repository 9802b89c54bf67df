/* rows.c - every number of a row, from an outcome; docs/METHOD.md derives them. */
/* SPDX-License-Identifier: MIT */
#include "cli/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/stats.h"

/* Clocks drift between the loop that measured the peak and the point. */
static const double peak_slack = 1.1;

void sp_row_begin(struct sp_point_row *r, const struct sp_point *p, enum sp_pass pass,
                  enum sp_mode mode, const struct sp_setup *setup)
{
    const struct sp_problem *pb = &p->pb;
    r->row = sp_row_new();
    r->reason[0] = r->verified[0] = 0;
    r->knobs[0] = r->brief[0] = 0;
    if (!p->why[0]) {   /* else an automatic knob may be open still */
        sp_strategy_knobs(p->strategy, pb, false, r->knobs, sizeof r->knobs);
        sp_strategy_knobs(p->strategy, pb, true, r->brief, sizeof r->brief);
    }
    struct sp_row *x = &r->row;
    x->brief = r->brief;
    x->source = setup->cluster ? "simulated" : "measured";
    x->strategy = p->strategy->name;
    x->knobs = r->knobs;
    x->sp = pb->ranks;
    x->seq = pb->seq;
    x->batch = pb->batch;
    x->heads = pb->heads;
    x->kv_heads = pb->kv_heads;
    x->head_dim = pb->dim;
    x->dtype = sp_dtype_names[pb->dtype];
    x->mask = pb->causal ? "causal" : "full";
    x->layout = pb->layout == SP_LAYOUT_AUTO ? "auto" : sp_layout_names[pb->layout];
    x->pass = pass == SP_FORWARD ? "fwd" : "bwd";
    x->mode = sp_mode_names[mode];
    x->transport = setup->transport;
    x->kernels = setup->kernels;
    x->threads = setup->threads;
    x->seed = setup->seed;
    x->cluster = setup->cluster;
    x->profile = setup->profile;
    x->placement = setup->placement;
}

void sp_row_fail(struct sp_point_row *r, enum sp_status status, const char *reason)
{
    snprintf(r->reason, sizeof r->reason, "%s", reason);
    r->row.status = status;
    r->row.reason = r->reason;
}

static void set_times(struct sp_row *x, const struct sp_timing *t)
{
    x->iters = t->n;
    x->samples = t->sample;
    x->time = sp_timing_median(t);
    double *sorted = sp_alloc((size_t)t->n * sizeof *sorted);
    memcpy(sorted, t->sample, (size_t)t->n * sizeof *sorted);
    sp_sort(sorted, t->n);
    if (!sp_median_interval(sorted, t->n, &x->time_low, &x->time_high))
        x->time_low = x->time_high = NAN;
    free(sorted);
}

static void set_errors(struct sp_point_row *r, const struct sp_verdict *v)
{
    struct sp_row *x = &r->row;
    x->err_o = v->err[SP_O];
    x->err_lse = v->err[SP_LSE];
    x->err_dq = v->err[SP_DQ];
    x->err_dk = v->err[SP_DK];
    x->err_dv = v->err[SP_DV];
    x->error = v->err[v->worst_kind];
    x->tolerance = v->tol[v->worst_kind];
    snprintf(r->verified, sizeof r->verified, "%s", v->rows);
    x->verified = r->verified;
}

/* What follows from the time of the whole pass. */
static void set_rates(struct sp_row *x, const struct sp_problem *pb, const struct sp_passed *p,
                      double local, double peak)
{
    double per_rank = p->flops / pb->ranks / x->time;
    x->tokens_per_s = (double)pb->seq * pb->batch / x->time;
    x->tflops = per_rank / 1e12;
    x->tflops_total = p->flops / x->time / 1e12;
    x->roofline = peak > 0 ? per_rank / peak : NAN;
    x->efficiency = local / (pb->ranks * x->time);
    x->imbalance = p->imbalance - 1;
    x->under = p->under;
    x->hidden = sp_passed_hidden(p);
    x->exposed = sp_passed_exposed(p);
}

void sp_row_measured(struct sp_point_row *r, const struct sp_point *p, const struct sp_outcome *o,
                     enum sp_pass pass, enum sp_mode mode, double local,
                     const struct sp_setup *setup)
{
    const struct sp_passed *a = &o->pass[pass];
    struct sp_row *x = &r->row;
    double peak = setup->peak[p->pb.dtype] * setup->threads;
    char text[SP_TEXT_ROOM];
    if (o->why) {
        sp_row_fail(r, SP_POINT_FAILED, o->why);
        return;
    }
    x->flops = a->flops;
    x->bytes_plan = (long)a->bytes_plan;
    x->bytes_moved = (long)a->bytes_moved;
    x->messages_plan = (long)a->messages_plan;
    x->messages_moved = (long)a->messages_moved;
    x->mem_plan = (long)o->mem_plan;
    x->mem_used = (long)o->mem_used;
    set_errors(r, &o->verdict);
    if (!o->verdict.passed) {
        sp_row_fail(r, SP_POINT_WRONG, o->verdict.why);
        return;
    }
    if (!a->as_planned) {
        snprintf(text, sizeof text, "the transport moved %.0f bytes in %.0f messages, the plan "
                 "has %.0f in %.0f", a->bytes_moved, a->messages_moved, a->bytes_plan,
                 a->messages_plan);
        sp_row_fail(r, SP_POINT_BYTES, text);
        return;
    }
    set_times(x, &a->time[mode]);
    if (mode == SP_OVERLAPPED)
        set_rates(x, &p->pb, a, local, peak);
    if (x->roofline > peak_slack) {
        snprintf(text, sizeof text, "%.4f TFLOP/s a rank is more than the %.4f that its processor "
                 "can do", x->tflops, peak / 1e12);
        sp_row_fail(r, SP_POINT_TOO_FAST, text);
    }
}
