/* calibrate.c - the parts one after another, each with its share of the time. */
/* SPDX-License-Identifier: MIT */
#include "measure/calibrate.h"

#include <stdlib.h>

#include "util/memory.h"

static const struct part {
    const char *(*measure)(struct sp_calibration *c, double seconds);
    double share;
} parts[] = {
    { sp_calibrate_streams, 0.07 },
    { sp_calibrate_kernels, 0.60 },
    { sp_calibrate_transfers, 0.13 },
    { sp_calibrate_overlap, 0.15 },
};

enum { NPARTS = sizeof parts / sizeof *parts };

const char *sp_calibrate(struct sp_calibration *c)
{
    const char *why = NULL;
    struct sp_profile *f = c->profile = sp_alloc(sizeof *f);
    f->version = SP_PROFILE_VERSION;
    f->measured = true;
    f->slots = c->lab->threads;
    for (int i = 0; i < SP_NLINK_KINDS; i++)
        f->link[i] = 1;
    for (int i = 0; i < NPARTS && !why; i++)
        why = parts[i].measure(c, parts[i].share * c->seconds);
    return why;
}

void sp_calibration_free(struct sp_calibration *c)
{
    sp_profile_free(c->profile);
    free(c->fitted);
    c->profile = NULL;
    c->fitted = NULL;
}

void sp_calibration_note(struct sp_calibration *c, const struct sp_fitted *f)
{
    c->fitted = sp_grow(c->fitted, c->nfitted, sizeof *c->fitted);
    c->fitted[c->nfitted++] = *f;
}

/* ---- plans --------------------------------------------------------------------------- */

static struct sp_block buffer(struct sp_plan *p, int rank, enum sp_kind kind, enum sp_role role,
                              enum sp_dtype t, int rows, int heads)
{
    struct sp_buf shape = { .name = sp_kind_names[kind], .kind = { kind }, .role = role,
                            .dtype = t, .rows = rows, .heads = heads };
    return sp_whole(p, sp_buf_new(p, rank, &shape));
}

struct sp_block sp_bench_buf(struct sp_plan *p, int rank, enum sp_kind kind, enum sp_dtype t,
                             int rows, int heads)
{
    return buffer(p, rank, kind, SP_SCRATCH, t, rows, heads);
}

struct sp_block sp_bench_input(struct sp_plan *p, int rank, enum sp_kind kind, enum sp_dtype t,
                               int rows, int heads)
{
    struct sp_block b = buffer(p, rank, kind, SP_INPUT, t, rows, heads);
    struct sp_run all = { 0, 1, rows };
    sp_hold(p, b, (struct sp_where){ &all, 1 }, 0);
    return b;
}
