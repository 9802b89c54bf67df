/* forecast_rows.c - every number of a simulated row; the same formulas as of a measured one. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/rows.h"

_Static_assert((int)SP_OVERLAPPED == SP_SIM_OVERLAPPED && (int)SP_SERIALISED == SP_SIM_SERIALISED
               && (int)SP_COMPUTE_ONLY == SP_SIM_COMPUTE && (int)SP_COMM_ONLY == SP_SIM_COMM,
               "modes are simulated in the order in which they are measured");

/* The rank that sends most, and the work of all. */
static void set_counts(struct sp_row *x, const struct sp_plan *p, enum sp_pass pass)
{
    struct sp_count *c = sp_plan_counts(p);
    double most = 0;
    x->flops = 0;
    x->bytes_plan = x->messages_plan = 0;
    for (int r = 0; r < p->pb.ranks; r++) {
        const struct sp_count *of = &c[r * SP_NPASSES + pass];
        long bytes = (long)sp_count_bytes(of), messages = sp_count_messages(of);
        x->bytes_plan = bytes > x->bytes_plan ? bytes : x->bytes_plan;
        x->messages_plan = messages > x->messages_plan ? messages : x->messages_plan;
        x->flops += of->flops;
        most = fmax(most, of->flops);
    }
    x->imbalance = most * p->pb.ranks / x->flops - 1;
    free(c);
}

static void set_rates(struct sp_row *x, const struct sp_problem *pb, double local)
{
    x->tokens_per_s = (double)pb->seq * pb->batch / x->time;
    x->tflops_total = x->flops / x->time / 1e12;
    x->tflops = x->tflops_total / pb->ranks;
    x->efficiency = local / (pb->ranks * x->time);
}

void sp_row_forecast(struct sp_point_row *r, const struct sp_plan *p, const struct sp_forecast *f,
                     enum sp_pass pass, enum sp_mode mode, double local)
{
    const struct sp_forecast_pass *a = &f->pass[pass];
    struct sp_row *x = &r->row;
    x->mem_plan = (long)f->memory;
    if (f->why) {
        sp_row_fail(r, SP_POINT_FAILED, f->why);
        return;
    }
    set_counts(x, p, pass);
    x->time = a->time[mode];
    x->confidence = f->inside ? "inside" : "outside";
    if (mode != SP_OVERLAPPED)
        return;
    set_rates(x, &p->pb, local);
    x->exposed = a->exposed;
    x->hidden = (a->time[SP_SERIALISED] - a->time[SP_OVERLAPPED]) / a->time[SP_COMM_ONLY];
    for (int k = 0; k < SP_NLINK_KINDS; k++)
        x->bytes_on[k] = (long)a->bytes[k];
    snprintf(r->bound, sizeof r->bound, "%s", a->why);
    x->bound = r->bound;
}
