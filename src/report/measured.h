/* measured.h - measurements in files, as points that can be predicted: published tables (CSV,
 * results/published/README.md has the columns) and results of seqpar run (JSON lines). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_MEASURED_H
#define SP_MEASURED_H

#include "report/results.h"
#include "strategy/strategy.h"
#include "util/table.h"

struct sp_measured {
    long line;                          /* of its file; of results: which point */
    const char *source, *hardware, *link;       /* as the table has them; "" */
    const struct sp_strategy *strategy; /* NULL if left out before it was known */
    struct sp_problem pb;               /* settled, if not left out */
    bool pass[SP_NPASSES];              /* timed together */
    int gpus, per_node;                 /* of the run: gpus / pb.ranks groups; 0: unknown */
    double seconds;
    bool launch_bound;                  /* its notes say so */
    bool fp16;                          /* counted as bf16 */
    char *why;                          /* it is left out; NULL */
};

struct sp_measured_file {
    char *path;
    struct sp_measured *row;
    long n;
    struct sp_table *table;             /* own the rows' texts */
    struct sp_results results;
};

/* NULL, or why the file can't be used; sp_measured_free() in any case. */
const char *sp_measured_read(struct sp_measured_file *f, const char *path);
void sp_measured_free(struct sp_measured_file *f);

/* A row is left out for a reason; the first one counts. */
void sp_measured_leave(struct sp_measured *m, const char *why);

/* "fwd", "bwd", "fwd+bwd"; "" if it is not known. */
const char *sp_measured_pass(const struct sp_measured *m);

/* The rows of a published table. */
const char *sp_published_rows(struct sp_measured_file *f);

#endif
