/* disorder.h - a plan run in an order drawn by dice, and how far its outputs are off. */
/* SPDX-License-Identifier: MIT */
#ifndef DISORDER_H
#define DISORDER_H

#include "kernels/kernels.h"
#include "plan/plan.h"

struct disorder {
    const struct sp_kernels *kernels;   /* NULL: reference */
    unsigned long seed;
    bool streams;                       /* or polled by a host */
    int times;                          /* forward and backward again, inputs left as they are */
    int backwards;                      /* backward passes more, at the end */
};

struct off {
    double by;                          /* the worst max|error| / max|definition| of a tensor */
    enum sp_kind in;                    /* that tensor */
    const char *why;                    /* it did not even end; else NULL */
};

/* Against definition.h. All of o, lse and, with a backward pass, dq dk dv must be there. */
struct off disorder_run(const struct sp_plan *p, struct disorder d);

/* What rounding may do: 1e-5 in fp32, 2e-2 in bf16. */
double disorder_tolerance(const struct sp_problem *pb);

#endif
