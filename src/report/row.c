/* row.c - the table of columns, and one value of a row by its column. */
/* SPDX-License-Identifier: MIT */
#include "report/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const sp_status_names[] = {
    [SP_POINT_OK] = "ok",
    [SP_POINT_REFUSED] = "refused",
    [SP_POINT_WRONG] = "wrong",
    [SP_POINT_TOO_FAST] = "toofast",
    [SP_POINT_BYTES] = "bytes",
    [SP_POINT_TIMEOUT] = "timeout",
    [SP_POINT_FAILED] = "failed",
    NULL
};

const struct sp_unitinfo sp_units[] = {
    [SP_NO_UNIT] = { "", 1, 1, "%.1e" },
    [SP_MS] =      { "ms", 1e3, 1e3, "%.3f" },
    [SP_PERCENT] = { "%", 1, 100, "%.1f" },
    [SP_MIB] =     { "MiB", 1, 1.0 / (1 << 20), "%.3f" },
    [SP_PER_S] =   { "1/s", 1, 1, "%.0f" },
    [SP_TFLOPS] =  { "TFLOP/s", 1, 1, "%.4f" },
};

#define AT(member) offsetof(struct sp_row, member)

const struct sp_column sp_columns[] = {
/*    name, title, type, unit, offset, flags, width, help */
    { "source", "source", SP_TEXT, SP_NO_UNIT, AT(source), SP_KEY, 0,
      "measured or simulated" },
    { "strategy", "strategy", SP_TEXT, SP_NO_UNIT, AT(strategy), SP_KEY | SP_ALWAYS, 9,
      "who sends what to whom" },
    { "knobs", "knobs", SP_TEXT, SP_NO_UNIT, AT(knobs), SP_KEY | SP_ALWAYS, 10,
      "settings of the strategy; tables leave out those that are as always" },
    { "sp", "sp", SP_WHOLE, SP_NO_UNIT, AT(sp), SP_KEY | SP_ALWAYS, 3,
      "ranks that share the sequence" },
    { "seq", "seq", SP_WHOLE, SP_NO_UNIT, AT(seq), SP_KEY | SP_ALWAYS, 7,
      "tokens of the whole sequence" },
    { "batch", "batch", SP_WHOLE, SP_NO_UNIT, AT(batch), SP_KEY, 0, "sequences" },
    { "heads", "heads", SP_WHOLE, SP_NO_UNIT, AT(heads), SP_KEY, 0, "query heads" },
    { "kv_heads", "kv-heads", SP_WHOLE, SP_NO_UNIT, AT(kv_heads), SP_KEY, 0,
      "key and value heads" },
    { "head_dim", "head-dim", SP_WHOLE, SP_NO_UNIT, AT(head_dim), SP_KEY, 0,
      "elements of a head" },
    { "dtype", "dtype", SP_TEXT, SP_NO_UNIT, AT(dtype), SP_KEY, 0,
      "of what is stored and sent" },
    { "mask", "mask", SP_TEXT, SP_NO_UNIT, AT(mask), SP_KEY, 0,
      "which keys a query sees" },
    { "layout", "layout", SP_TEXT, SP_NO_UNIT, AT(layout), SP_KEY | SP_ALWAYS, 10,
      "which tokens a rank holds" },
    { "pass", "pass", SP_TEXT, SP_NO_UNIT, AT(pass), SP_KEY | SP_ALWAYS, 4,
      "fwd or bwd, each by itself" },
    { "mode", "mode", SP_TEXT, SP_NO_UNIT, AT(mode), SP_KEY | SP_ALWAYS, 13,
      "overlapped is the plan as it is; the others take it apart" },
    { "transport", "transport", SP_TEXT, SP_NO_UNIT, AT(transport), SP_KEY, 0,
      "what carries messages" },
    { "kernels", "kernels", SP_TEXT, SP_NO_UNIT, AT(kernels), SP_KEY, 0,
      "what computes" },
    { "threads", "threads", SP_WHOLE, SP_NO_UNIT, AT(threads), SP_KEY, 0,
      "of each rank" },
    { "cluster", "cluster", SP_TEXT, SP_NO_UNIT, AT(cluster), SP_KEY, 0,
      "machines that were simulated" },
    { "profile", "profile", SP_TEXT, SP_NO_UNIT, AT(profile), SP_KEY, 0,
      "whose numbers the simulation goes by" },
    { "placement", "placement", SP_TEXT, SP_NO_UNIT, AT(placement), SP_KEY, 0,
      "groups at work at once, ranks on a node, what slows them" },

    { "iters", "iters", SP_WHOLE, SP_NO_UNIT, AT(iters), 0, 0,
      "repetitions that were timed" },
    { "time_ms", "time", SP_REAL, SP_MS, AT(time), SP_TIMING | SP_ALWAYS, 9,
      "of the slowest rank, median over the repetitions" },
    { "time_low_ms", "low", SP_REAL, SP_MS, AT(time_low), SP_TIMING | SP_SHOWN, 9,
      "where the median's 95 % interval begins" },
    { "time_high_ms", "high", SP_REAL, SP_MS, AT(time_high), SP_TIMING | SP_SHOWN, 9,
      "where it ends" },
    { "samples_ms", "samples", SP_SAMPLES, SP_MS, AT(samples), SP_TIMING, 0,
      "the time of each repetition" },
    { "tokens_per_s", "tokens", SP_REAL, SP_PER_S, AT(tokens_per_s), SP_TIMING | SP_ALWAYS,
      8, "of all ranks together" },
    { "tflops", "rate", SP_REAL, SP_TFLOPS, AT(tflops), SP_TIMING | SP_ALWAYS, 7,
      "one rank's; FLOPs: 4 x unmasked pairs x heads x head_dim x batch; bwd 2.5 of it" },
    { "tflops_total", "total", SP_REAL, SP_TFLOPS, AT(tflops_total), SP_TIMING, 0,
      "of all ranks together" },
    { "roofline", "peak", SP_REAL, SP_PERCENT, AT(roofline), SP_TIMING, 0,
      "rate of one rank, of the multiply-add rate that was measured x threads" },
    { "efficiency", "eff", SP_REAL, SP_PERCENT, AT(efficiency), SP_TIMING | SP_ALWAYS, 5,
      "time of local / (sp x time), for the same sequence and threads" },
    { "flops", "flops", SP_REAL, SP_NO_UNIT, AT(flops), 0, 0, "of all ranks together" },
    { "imbalance", "imb", SP_REAL, SP_PERCENT, AT(imbalance), 0, 0,
      "computing time of the busiest rank over the mean, less one" },
    { "under", "under", SP_REAL, SP_PERCENT, AT(under), SP_TIMING | SP_SHOWN, 5,
      "part of the transfers' time in which arithmetic ran, too" },
    { "hidden", "hidden", SP_REAL, SP_PERCENT, AT(hidden), SP_TIMING | SP_ALWAYS, 6,
      "what overlap saves, as part of communication alone; negative: it costs" },
    { "exposed_ms", "exposed", SP_REAL, SP_MS, AT(exposed), SP_TIMING | SP_FORECAST, 9,
      "what the pass takes longer than its arithmetic alone" },
    { "bytes_plan", "planned", SP_WHOLE, SP_MIB, AT(bytes_plan), SP_FORECAST, 8,
      "sent by the rank that sends most, as the plan counts them" },
    { "bytes_moved", "moved", SP_WHOLE, SP_MIB, AT(bytes_moved), SP_SHOWN, 8,
      "sent by the rank that sent most, as the transport counted them" },
    { "messages_plan", "messages", SP_WHOLE, SP_NO_UNIT, AT(messages_plan), 0, 0,
      "sent by the rank that sends most, as the plan counts them" },
    { "messages_moved", "messages", SP_WHOLE, SP_NO_UNIT, AT(messages_moved), 0, 0,
      "sent by the rank that sent most, as the transport counted them" },
    { "mem_plan_bytes", "forecast", SP_WHOLE, SP_MIB, AT(mem_plan), SP_FORECAST, 8,
      "memory of the rank that needs most, as the plan counts it" },
    { "mem_used_bytes", "memory", SP_WHOLE, SP_MIB, AT(mem_used), SP_SHOWN, 8,
      "of the rank that took most" },
    { "nvlink_bytes", "NVLink", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_NVLINK]), 0, 0,
      "crossed NVLinks, all ranks, each link counted" },
    { "xgmi_bytes", "xGMI", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_XGMI]), 0, 0,
      "crossed xGMI links" },
    { "c2c_bytes", "C2C", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_C2C]), 0, 0,
      "crossed links of a GPU to its CPU" },
    { "pcie_bytes", "PCIe", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_PCIE]), 0, 0,
      "crossed PCIe links" },
    { "smp_bytes", "sockets", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_SMP]), 0, 0,
      "crossed links between sockets" },
    { "memory_bytes", "memory", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_MEMORY]), 0, 0,
      "went through memory that ranks share" },
    { "net_bytes", "network", SP_WHOLE, SP_MIB, AT(bytes_on[SP_LINK_NET]), 0, 0,
      "crossed cables of the network" },
    { "confidence", "sizes", SP_TEXT, SP_NO_UNIT, AT(confidence), SP_FORECAST, 7,
      "inside or outside those that the profile was fitted to" },
    { "bound", "bound", SP_TEXT, SP_NO_UNIT, AT(bound), 0, 0,
      "what the time depends on most" },
    { "error", "error", SP_REAL, SP_NO_UNIT, AT(error), SP_SHOWN, 8,
      "largest |result - definition| / largest |definition|, of the worst tensor" },
    { "err_o", "err o", SP_REAL, SP_NO_UNIT, AT(err_o), 0, 0, "error of o" },
    { "err_lse", "err lse", SP_REAL, SP_NO_UNIT, AT(err_lse), 0, 0, "error of lse" },
    { "err_dq", "err dq", SP_REAL, SP_NO_UNIT, AT(err_dq), 0, 0, "error of dq" },
    { "err_dk", "err dk", SP_REAL, SP_NO_UNIT, AT(err_dk), 0, 0, "error of dk" },
    { "err_dv", "err dv", SP_REAL, SP_NO_UNIT, AT(err_dv), 0, 0, "error of dv" },
    { "tolerance", "allowed", SP_REAL, SP_NO_UNIT, AT(tolerance), 0, 0,
      "the error that the roundings on the way explain" },
    { "verified", "verified", SP_TEXT, SP_NO_UNIT, AT(verified), 0, 0,
      "how much of the result was compared with the definition" },
    { "seed", "seed", SP_WHOLE, SP_NO_UNIT, AT(seed), 0, 0, "of the tensors" },
    { "status", "status", SP_STATUS, SP_NO_UNIT, AT(status), SP_ALWAYS, 7,
      "ok; if measured: verified, and only then timed" },
    { "reason", "reason", SP_TEXT, SP_NO_UNIT, AT(reason), 0, 0, "why it is not ok" },
    { .name = NULL }
};
_Static_assert(sizeof sp_columns / sizeof *sp_columns <= SP_MAX_COLUMNS, "too many");

static const void *field(const struct sp_row *row, const struct sp_column *c)
{
    return (const char *)row + c->offset;
}

static const char *text(const struct sp_row *row, const struct sp_column *c)
{
    return c->type == SP_STATUS ? sp_status_names[row->status]
                                : *(const char *const *)field(row, c);
}

static long whole(const struct sp_row *row, const struct sp_column *c)
{
    return *(const long *)field(row, c);
}

static double real(const struct sp_row *row, const struct sp_column *c)
{
    return *(const double *)field(row, c);
}

struct sp_row sp_row_new(void)
{
    struct sp_row row = { .status = SP_POINT_OK };
    for (const struct sp_column *c = sp_columns; c->name; c++) {
        void *at = (char *)&row + c->offset;
        if (c->type == SP_WHOLE)
            *(long *)at = -1;
        else if (c->type == SP_REAL)
            *(double *)at = NAN;
    }
    return row;
}

bool sp_row_has(const struct sp_row *row, const struct sp_column *c)
{
    if ((c->flags & SP_TIMING) && row->status != SP_POINT_OK)
        return false;
    switch (c->type) {
    case SP_WHOLE:   return whole(row, c) >= 0;
    case SP_REAL:    return isfinite(real(row, c));
    case SP_SAMPLES: return row->samples && row->iters > 0;
    default:         return text(row, c) && *text(row, c);
    }
}

bool sp_is_count(double number) { return number == rint(number) && fabs(number) < 1e15; }

static void print_real(char *room, double number)
{
    snprintf(room, SP_CELL, sp_is_count(number) ? "%.0f" : "%.10g", number);
}

const char *sp_row_cell(const struct sp_row *row, const struct sp_column *c, char *room)
{
    if (c->type == SP_SAMPLES || !sp_row_has(row, c))
        return NULL;
    switch (c->type) {
    case SP_WHOLE:
        snprintf(room, SP_CELL, "%ld", whole(row, c));
        return room;
    case SP_REAL:
        print_real(room, real(row, c) * sp_units[c->unit].file);
        return room;
    default:
        return text(row, c);
    }
}

const char *sp_row_shown(const struct sp_row *row, const struct sp_column *c, char *room)
{
    const struct sp_unitinfo *unit = &sp_units[c->unit];
    bool is_whole = c->type == SP_WHOLE;
    if (!sp_row_has(row, c))
        return "-";
    if (row->status != SP_POINT_OK && !(c->flags & SP_KEY) && c->type != SP_STATUS)
        return "-";
    if (c->offset == AT(knobs) && row->brief)
        return *row->brief ? row->brief : "-";
    if (is_whole ? c->unit == SP_NO_UNIT : c->type != SP_REAL)
        return sp_row_cell(row, c, room);
    double number = is_whole ? (double)whole(row, c) : real(row, c);
    snprintf(room, SP_CELL, unit->format, number * unit->shown);
    return room;
}

/* The columns whose flags are SP_KEY and no other of `mask`, name and value each; without a
 * value they are left out if `absent` is NULL. */
static char *join(const struct sp_row *row, unsigned mask, const char *absent, const char *is,
                  const char *then)
{
    char *joined = NULL, room[SP_CELL];
    size_t bytes;
    FILE *to = open_memstream(&joined, &bytes);
    for (const struct sp_column *c = sp_columns; c->name; c++)
        if ((c->flags & mask) == SP_KEY) {
            const char *cell = sp_row_cell(row, c, room);
            if (!cell && !absent)
                continue;
            fprintf(to, "%s%s%s", ftell(to) ? then : "", c->name, is);
            fputs(cell ? cell : absent, to);
        }
    fclose(to);
    return joined;
}

bool sp_row_simulated(const struct sp_row *row)
{
    return row->source && !strcmp(row->source, "simulated");
}

bool sp_row_shows(const struct sp_row *row, const struct sp_column *c)
{
    return c->flags & (sp_row_simulated(row) ? SP_FORECAST : SP_SHOWN);
}

char *sp_row_key(const struct sp_row *row)
{
    return join(row, SP_KEY, "-", "=", ";");
}

char *sp_row_group(const struct sp_row *row)
{
    return join(row, SP_KEY | SP_ALWAYS, NULL, " ", ", ");
}
