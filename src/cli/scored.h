/* scored.h - measured points beside what is predicted for them. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SCORED_H
#define SP_SCORED_H

#include "cli/testbeds.h"
#include "report/measured.h"

struct sp_scored {
    const char *file;                   /* without its folder */
    struct sp_measured *m;
    const struct sp_testbed *bed;       /* NULL if left out */
    double predicted;                   /* seconds; NaN if left out */
    double serialised;                  /* the same, if nothing overlapped */
    double compute, comm;               /* computing alone, messages alone */
    bool inside;                        /* the sizes that the profile was fitted to */
    char bound[240];                    /* what the prediction says bounds the time */
};

/* All rows of the files, in their order, each on its machine, none predicted. free() it. */
struct sp_scored *sp_scored_new(const struct sp_measured_file *f, int nfiles,
                                struct sp_testbeds *b, long *n);

/* Predict them, each problem once. What can't be is left out. */
void sp_scored_predict(struct sp_scored *x, long n);

/* Same problem, machine and passes, to be computed in one way or another; the order of points
 * by that. Points of different sources are never the same. */
int sp_scored_compare(const struct sp_scored *a, const struct sp_scored *b);
/* And the same way. */
int sp_scored_compare_way(const struct sp_scored *a, const struct sp_scored *b);

/* "layout=zigzag pu=4 ..." of a point: "ring" and what else says how it was computed. */
void sp_scored_way(const struct sp_scored *x, char *text, size_t room);

/* Every row to a new file, CSV or (.jsonl) JSON lines; one of ours is replaced. NULL, or why
 * it can't be written. */
const char *sp_scored_write(const struct sp_scored *x, long n, const char *path);

#endif
