/* calibrate.h - what this machine's kernels, memory and messages can do, as a profile.
 *
 * Everything is measured through the executor that `run` uses, with small plans, on all ranks
 * at once; then the curves of sim/profile.h are laid through it. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CALIBRATE_H
#define SP_CALIBRATE_H

#include "measure/bench.h"
#include "sim/profile.h"

/* One size that was measured, and what the fitted curve says of it. */
struct sp_fitted {
    char what[32], size[48];    /* "attn bf16 d128", "512 x 2048 h8/2 causal" */
    double measured, fitted;    /* seconds */
    bool held_out;              /* not fitted: a test of the curve */
};

struct sp_calibration {
    const struct sp_lab *lab;
    double seconds;             /* that all of it may take */
    void (*progress)(const char *part);         /* NULL: nobody wants to know */
    struct sp_profile *profile; /* filled in */
    struct sp_fitted *fitted; int nfitted;
    double gap;                 /* seconds between two steps of a lane */
    double late;                /* until a step is noticed after which others compute on */
};

/* Measure and fit. All ranks of the lab call it and get the same. NULL, or why no curve could
 * be laid through what was measured. */
const char *sp_calibrate(struct sp_calibration *c);
void sp_calibration_free(struct sp_calibration *c);

/* ---- its parts, in this order; each may take so many seconds ---------------------------- */

/* DELTA, MERGE, ADD, COPY; and c->gap. */
const char *sp_calibrate_streams(struct sp_calibration *c, double seconds);

/* ATTN, GRAD. */
const char *sp_calibrate_kernels(struct sp_calibration *c, double seconds);

/* Messages alone. */
const char *sp_calibrate_transfers(struct sp_calibration *c, double seconds);

/* Messages while kernels run. */
const char *sp_calibrate_overlap(struct sp_calibration *c, double seconds);

void sp_calibration_note(struct sp_calibration *c, const struct sp_fitted *f);

/* The first two ranks with such a path between them; false: there are none. */
bool sp_bench_pair(const struct sp_lab *l, enum sp_path_class class, int pair[2]);

/* Two ranks exchange what is in `from`, copied first, in so many messages each way of one
 * group; to[] is where it arrives. */
void sp_bench_exchange(struct sp_plan *p, const int pair[2], const struct sp_block from[2],
                       int messages, struct sp_block to[2]);

/* What all parts build plans from: a buffer of a rank; a block of it that is an input and
 * holds rows [0, rows) of the sequence. */
struct sp_block sp_bench_buf(struct sp_plan *p, int rank, enum sp_kind kind, enum sp_dtype t,
                             int rows, int heads);
struct sp_block sp_bench_input(struct sp_plan *p, int rank, enum sp_kind kind, enum sp_dtype t,
                               int rows, int heads);

#endif
