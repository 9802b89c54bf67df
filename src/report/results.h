/* results.h - result files: a line a point, as JSON.
 *
 *     {"schema": "seqpar.result/1", "context": {...}}     begins each launch's part
 *     {"source": "measured", "strategy": "ring", ...}     a point; null: not measured
 *     ...
 *
 * Readers leave out what they don't know. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_RESULTS_H
#define SP_RESULTS_H

#include "report/row.h"
#include "util/json.h"

#define SP_SCHEMA "seqpar.result/1"

/* A point as an object. json_decref() it. */
json_t *sp_row_to_json(const struct sp_row *row);

/* Why a file that begins with this line is not one of ours. */
const char *sp_results_refuse(const char *line);

struct sp_results {
    struct sp_row *row;
    long n;
    json_t *text;           /* owns what the rows point to */
};

/* The points of a file; none if there is no such file. Lines that are not whole are left
 * out, with a warning. NULL, or why it can't be read; sp_results_free() in any case. */
const char *sp_results_read(struct sp_results *results, const char *path);
void sp_results_free(struct sp_results *results);

/* The time of a point, NaN if it has none; whether it needs no other try: it is there, and is ok or was refused. */
double sp_results_time(const struct sp_results *results, const struct sp_row *row);
bool sp_results_settled(const struct sp_results *results, const struct sp_row *row);

#endif
