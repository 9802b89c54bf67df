/* row.h - one result: a point that was measured or simulated, or why it was not.
 *
 * The columns are described once, in sp_columns; every writer and the reader of result
 * files walk that table. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ROW_H
#define SP_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "topo/topo.h"

enum sp_status {
    SP_POINT_OK,
    SP_POINT_REFUSED,       /* the strategy can't; the reason says what would do */
    SP_POINT_WRONG,         /* not the definition's result */
    SP_POINT_TOO_FAST,      /* faster than the processor can be */
    SP_POINT_BYTES,         /* the transport moved other bytes than the plan counted */
    SP_POINT_TIMEOUT,
    SP_POINT_FAILED,
    SP_NSTATUSES
};

extern const char *const sp_status_names[];

/* Not measured: NULL or "", -1, NaN. Texts and samples are someone else's. */
struct sp_row {
    /* The key: what was asked. */
    const char *source;                 /* "measured", "simulated" */
    const char *strategy, *knobs;       /* "ring", "buffers=3 chunks=1" */
    const char *brief;                  /* knobs for people: "buffers=3"; NULL: as above */
    long sp, seq, batch, heads, kv_heads, head_dim;
    const char *dtype, *mask, *layout;
    const char *pass;                   /* "fwd", "bwd" */
    const char *mode;       /* "overlapped", "serialised", "compute", "communication" */
    const char *transport, *kernels;
    long threads;
    const char *cluster, *profile, *placement;  /* simulated: where, by which numbers */

    /* What came of it. */
    long iters;
    double time, time_low, time_high;   /* seconds: median and its interval */
    const double *samples;              /* seconds x iters, as they were taken */
    double tokens_per_s, tflops, tflops_total, roofline, efficiency;
    double flops, imbalance, under, hidden, exposed;
    long bytes_on[SP_NLINK_KINDS];      /* simulated: bytes that crossed links of each kind */
    const char *confidence;             /* "inside", "outside" what the profile has measured */
    const char *bound;                  /* simulated: what bounds the time, a sentence */
    long bytes_plan, bytes_moved, messages_plan, messages_moved, mem_plan, mem_used;
    double error, err_o, err_lse, err_dq, err_dk, err_dv, tolerance;
    const char *verified;               /* "whole", "64 rows" */
    long seed;
    enum sp_status status;
    const char *reason;
};

/* Nothing measured yet. */
struct sp_row sp_row_new(void);

enum sp_column_type {
    SP_TEXT,         /* const char * */
    SP_WHOLE,        /* long */
    SP_REAL,         /* double */
    SP_SAMPLES,      /* const double *, row.iters times */
    SP_STATUS,       /* enum sp_status */
};

enum sp_unit { SP_NO_UNIT, SP_MS, SP_PERCENT, SP_MIB, SP_PER_S, SP_TFLOPS };

extern const struct sp_unitinfo {
    const char *name;
    double file, shown;     /* what a number is multiplied by in files, and for people */
    const char *format;     /* for people */
} sp_units[];

enum {
    SP_KEY = 1,      /* says which point it is */
    SP_TIMING = 2,   /* only a point that is ok has it */
    SP_SHOWN = 4,    /* in tables for people, of measured points ... */
    SP_FORECAST = 8, /* ... and of simulated ones */
    SP_ALWAYS = SP_SHOWN | SP_FORECAST,
};

struct sp_column {
    const char *name;       /* in files; says the unit there */
    const char *title;      /* for people */
    enum sp_column_type type;
    enum sp_unit unit;
    size_t offset;          /* in struct sp_row */
    unsigned flags;
    int width;              /* the least, for people */
    const char *help;
};

/* Key first, status and reason last; ends with a name of NULL. */
enum { SP_MAX_COLUMNS = 64 };
extern const struct sp_column sp_columns[];

/* Whether there is something to be written; a point that failed has no timing. */
bool sp_row_has(const struct sp_row *row, const struct sp_column *c);

/* A count, such as FLOPs: to be written to the last digit. Other numbers get ten digits,
 * which is more than a clock can tell. */
bool sp_is_count(double number);

/* A cell in a file: the row's own text, or a number written into `room`. NULL: nothing to
 * be written. Samples fit no cell. */
enum { SP_CELL = 40 };
const char *sp_row_cell(const struct sp_row *row, const struct sp_column *c, char *room);

/* The same for people: "-" for nothing, and no numbers of a point that is not ok. */
const char *sp_row_shown(const struct sp_row *row, const struct sp_column *c, char *room);

bool sp_row_simulated(const struct sp_row *row);

/* Whether tables for people have the column beside such a row. */
bool sp_row_shows(const struct sp_row *row, const struct sp_column *c);

/* "source=measured;strategy=ring;...": equal for two tries of one point. free() it. */
char *sp_row_key(const struct sp_row *row);

/* The part of the key that tables for people have no columns for, to be said when it
 * changes: "source measured, batch 1, ...". free() it. */
char *sp_row_group(const struct sp_row *row);

#endif
