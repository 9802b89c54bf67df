/* profile.h - what a device and its links can do: the numbers of the cost model, measured
 * (seqpar calibrate) or taken from a named source. A JSON file; topologies/profiles has some.
 *
 * Kernels are described by tiles: a head's queries are cut in row tiles, each of which goes
 * over the key tiles that its rows see; row tiles are dealt to the slots (SMs, or threads).
 *
 *      seconds = launch + rows x row + curve x what the busiest slot does:
 *                its row tiles x prologue + its key tiles x tile
 *
 * The curve, over the FLOPs of the work, is what the tiles leave unexplained. Gradients are
 * dealt by key tiles, which go over the row tiles that see them. Heads and sequences are work
 * of their own; that query heads share keys makes no difference. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PROFILE_H
#define SP_PROFILE_H

#include "plan/plan.h"
#include "topo/topo.h"

/* Linear between points in (log x, y), flat beyond the ends. n = 0: 1 everywhere. */
struct sp_curve { int n; double *x, *y; };
double sp_curve_at(const struct sp_curve *c, double x, bool *inside);   /* inside may be NULL */
void sp_curve_add(struct sp_curve *c, double x, double y);      /* x above those before it */
void sp_curve_thin(struct sp_curve *c, double off);     /* leave out what bends it by less */
void sp_curve_free(struct sp_curve *c);

/* One attention kernel: ATTN or GRAD, of one dtype and head dim. */
struct sp_kernel_fit {
    enum sp_op op;
    enum sp_dtype dtype;
    int dim;
    int tile_rows, tile_keys;   /* of queries and keys */
    double launch, prologue, tile;      /* seconds */
    double host;                /* seconds that calls were apart, at least, in the benchmark that
                                 * was fitted (its Python): no part of a prediction */
    double row;                 /* seconds of each row of each head, on all slots together:
                                 * bound by memory */
    double key;                 /* and of each key of each KV head, where keys are packed once
                                 * for all queries (CPUs); fitted if it is above 0 before */
    double masked;              /* a tile on the diagonal takes so many times a full one */
    double alone;               /* speed of a slot with one item, of that with two: 0.5 .. 1 */
    double tail;                /* of the longest item, how much sticks out at the end: 0 if
                                 * long ones are dealt first, up to 1 */
    double split;               /* few items are split between idle slots, which work at so
                                 * much of their speed; 0: they aren't */
    struct sp_curve correction; /* measured / tiles' seconds, over FLOPs of the step */
    double residual;            /* median |log| of what is left, of the samples fitted */
    long samples;
    double low_rows, high_rows, low_keys, high_keys;    /* sizes that were measured */
    char *source;
};

/* Ops bound by memory: DELTA, MERGE, ADD, COPY. Bytes are those read and written. CPUs, with
 * caches and conversions between dtypes, are described by elements instead. */
struct sp_stream_fit {
    double launch, rate;        /* bytes/s; 0: not by bytes */
    bool known;
    char *source;
    struct sp_curve element;    /* seconds of each element, over their number; n = 0: none */
};

/* Messages of a class of paths. */
struct sp_path_fit {
    bool known;
    double latency;             /* seconds of a small message, once for a group */
    double each;                /* and again for each further message of a group */
    double rate;                /* bytes/s that one large message gets; 0: its links' */
    struct sp_curve efficiency; /* part of the rate left after latency, over message bytes */
    int concurrent;             /* messages of a group in flight at once; 0: all */
    bool half;                  /* what goes one way keeps the other back, as with MPI over TCP,
                                 * whose acknowledgements queue behind data */
    double residual;
    char *source;
};

/* While a rank's messages are in flight, it computes at 1 / (1 + compute) of its speed; while
 * it computes, its messages run at 1 / (1 + comm) of theirs. Of processors that ranks of CPUs
 * share, each gets its part besides.
 *
 * queue: what moves messages is a kernel as well, and is dealt slots only when all tiles of
 * the attention that runs, or starts at the same time, have got theirs: in its last wave. So
 * it is on a GPU whose streams have one priority, as PyTorch's have. */
struct sp_interference { double compute, comm; bool queue; char *source; };

struct sp_profile {
    int version;                /* SP_PROFILE_VERSION */
    char *name;                 /* "h100-fa3" */
    char *device;               /* "NVIDIA H100 80GB HBM3", or the CPU's model */
    char *library;              /* of kernels: "flash-attn-3", "avx512bf16" */
    char *source;               /* what was measured, by whom, and what is assumed */
    char *device_source;        /* of slots, ctas, memory and poll */
    bool measured;              /* by seqpar, on that device */
    int slots;                  /* SMs, or threads of a rank */
    int ctas;                   /* slots that messages in flight take from kernels */
    double memory;              /* bytes of the device; 0: not known */
    struct sp_kernel_fit *kernel; int nkernels;
    struct sp_stream_fit stream[SP_NOPS];
    struct sp_path_fit path[SP_NPATH_CLASSES];
    double link[SP_NLINK_KINDS];        /* part of a link's nominal rate that can be had */
    char *link_source;
    struct sp_interference interference;
    double issue;               /* seconds that a rank's host needs to issue a step, or a group
                                 * of messages; 0: the device never waits for it */
    char *issue_source;
    double poll;                /* seconds until a finished message is noticed, on average */
    double pass;                /* seconds of a pass beside its steps: to begin, to see the end */
};

enum { SP_PROFILE_VERSION = 1 };

/* A file, or the name of one that comes with seqpar. NULL: *why says what is wrong. */
struct sp_profile *sp_profile_load(const char *path, const char **why);
const char *sp_profile_save(const struct sp_profile *p, const char *path);     /* NULL or why */
void sp_profile_free(struct sp_profile *p);

/* ---- cost -------------------------------------------------------------------------- */

/* A step as the cost model sees it. Where the mask hides some pairs of a step, tiles are
 * counted from the places of its rows and keys; without lists of places, row i sees the keys
 * up to number offset + i. */
struct sp_work {
    enum sp_op op;
    enum sp_dtype dtype;
    int dim, heads, kv_heads, batch;
    double rows, keys;          /* ATTN, GRAD: of a head */
    double pairs;               /* unmasked, of a head and sequence */
    bool causal;                /* fewer pairs than rows x keys */
    long offset;
    struct sp_where q, k;       /* the plan's; or none */
    double bytes, elements;     /* the others: read and written; of the largest block */
};

struct sp_work sp_step_work(const struct sp_plan *p, int step);

/* ATTN or GRAD of the last `rows` of `keys` places, or without a mask. */
struct sp_work sp_square_work(enum sp_op op, enum sp_dtype dtype, int dim, int heads, int batch,
                              long rows, long keys, bool causal);

double sp_work_flops(const struct sp_work *w);

/* Seconds of the step, alone at full speed; NaN if the profile has nothing for such an op.
 * *inside is cleared when sizes are beyond those that were measured, or the kernel was not
 * (another head dim or dtype is scaled). Up to some microseconds a call: callers with millions
 * of steps keep what they got for (op, heads, qpos, kpos), or (op, bytes). */
double sp_work_seconds(const struct sp_profile *p, const struct sp_work *w, bool *inside);

/* The same if only so many slots are to be had. */
double sp_work_seconds_on(const struct sp_profile *p, const struct sp_work *w, double slots,
                          bool *inside);

/* The part of a kernel's time until its last wave of tiles begins; 0: all have slots at once. */
double sp_work_full(const struct sp_profile *p, const struct sp_work *w);

/* Tiles of one head, for a kernel that deals `tile_rows` x `tile_keys`: what a slot is dealt
 * are items; an item costs prologue + tile x (full + masked x diagonal). */
struct sp_tiles {
    double items;               /* row tiles; GRAD: key tiles */
    double full, diagonal;      /* key tiles over all items: without and with hidden pairs */
    double longest, shortest;   /* cost of an item */
    double sum;                 /* cost of all */
};
struct sp_tiles sp_count_tiles(const struct sp_kernel_fit *k, const struct sp_work *w);

/* Seconds of such work by this kernel, as the benchmark that it was fitted to would see them;
 * tiles and rows take `stretch` times theirs. */
double sp_kernel_seconds(const struct sp_kernel_fit *k, const struct sp_work *w, double slots,
                         double stretch);

/* ---- fitting ----------------------------------------------------------------------- */

struct sp_sample { struct sp_work work; double seconds; };

/* Fit one kernel to the samples that are its own (op, dtype and dim of *k; tile sizes are
 * given too, and split or host above 0 if these are to be fitted), by least squares on log
 * time; the correction curve is monotone. Launch, prologue and row that are given (above 0)
 * stay nearby, for samples that say little of them. NULL, or why not. */
const char *sp_fit_kernel(struct sp_kernel_fit *k, int slots, const struct sp_sample *s, int n);

/* Of the samples that are the kernel's own: |log(predicted / measured)|, sorted. free() it. */
double *sp_fit_errors(const struct sp_kernel_fit *k, int slots, const struct sp_sample *s, int n,
                      int *count);

struct sp_transfer { double bytes, seconds; };

/* Latency, rate and efficiency of one class of paths from single messages. If the rate is
 * given (above 0) it stays. */
const char *sp_fit_path(struct sp_path_fit *f, const struct sp_transfer *t, int n);

/* Seconds of one message, alone: latency + bytes / (rate x efficiency). NaN: rate 0. */
double sp_path_seconds(const struct sp_path_fit *f, double bytes);

#endif
