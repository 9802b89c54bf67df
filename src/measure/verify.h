/* verify.h - is what a plan left in its outputs what attention is defined to be?
 *
 * O, lse, dQ, dK and dV are compared with the definition in fp64, of the inputs as stored:
 * all rows when that is cheap, else some of every tile of 64 (sample.h). A row is compared
 * with its own size too, or else long sequences would hide lost tiles behind the largest
 * element there is. What holds of all rows together is looked at as well (identity.h). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_VERIFY_H
#define SP_VERIFY_H

#include "plan/plan.h"
#include "transport/transport.h"

struct sp_verdict {
    bool passed;
    double err[SP_NKINDS];      /* max|err| / max|ref|; of lse, max|err| */
    double tol[SP_NKINDS];      /* 0: the plan has no such output */
    double row_err[SP_NKINDS];  /* the worst row: root mean square error / its size */
    double row_tol[SP_NKINDS];
    double tile_err;            /* part of a tile that seems to be lost; 0.1 is allowed */
    double sum_err, dot_err;    /* of sum dV = sum dO, <Q,dQ> = <K,dK>, in tolerances */
    double worst;               /* largest error / tolerance of all of these ... */
    enum sp_kind worst_kind;    /* ... and whose it is */
    char rows[48];              /* what was looked at: "whole", "512 of 8192 rows" */
    char why[240];              /* the worst fault; "" if passed */
};

/* Compare what this rank holds; all ranks of c, which are the plan's, get the same verdict.
 * To be called when all passes of the plan have run, on inputs of sp_inputs_fill. */
struct sp_verdict sp_verify(struct sp_comm *c, const struct sp_plan *p, void *const *data,
                            unsigned long seed);

/* The same when all ranks live in this process. */
struct sp_verdict sp_verify_all(const struct sp_plan *p, void *const *data, unsigned long seed);

#endif
