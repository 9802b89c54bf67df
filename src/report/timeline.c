/* timeline.c - bars from spans, or from a trace that was written before. */
/* SPDX-License-Identifier: MIT */
#include "report/timeline.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/memory.h"
#include "util/why.h"

enum { MAX_BARS = 20000000 };

static void put_text(char *to, const char *from)
{
    int n = 0;
    for (; *from && n < SP_BAR_TEXT - 1; from++)
        to[n++] = isalnum((unsigned char)*from) ? *from : ' ';
    to[n] = 0;
}

struct sp_bar sp_bar_of(const struct sp_plan *p, int step, struct sp_span span, double zero)
{
    const struct sp_step *s = &p->step[step];
    struct sp_bar b = {
        .rank = s->rank, .step = step, .transfer = s->twin >= 0,
        .pass = sp_step_pass(p, step), .start = span.start - zero, .end = span.end - zero };
    put_text(b.op, sp_ops[s->op].name);
    put_text(b.what, p->buf[sp_step_blocks(p, step)[0].buf].name);
    snprintf(b.lane, sizeof b.lane, "%s%s", sp_lane_names[s->lane],
             s->op == SP_RECV ? " in" : s->op == SP_SEND ? " out" : "");
    return b;
}

static void add(struct sp_timeline *t, const struct sp_bar *b)
{
    t->bar = sp_grow(t->bar, t->n, sizeof *t->bar);
    t->bar[t->n++] = *b;
}

/* Where the spans of a pass begin and end. */
static struct sp_span extent(const struct sp_plan *p, const struct sp_span *span, enum sp_pass pass)
{
    struct sp_span all = { INFINITY, -INFINITY };
    for (int i = 0; i < p->nsteps; i++)
        if (sp_step_pass(p, i) == pass) {
            all.start = fmin(all.start, span[i].start);
            all.end = fmax(all.end, span[i].end);
        }
    return all;
}

struct sp_timeline sp_timeline_of(const struct sp_plan *p, const struct sp_span *span)
{
    struct sp_timeline t = { 0 };
    struct sp_span forward = extent(p, span, SP_FORWARD), backward = extent(p, span, SP_BACKWARD);
    double zero[SP_NPASSES] = { forward.start, backward.start - (forward.end - forward.start) };
    for (int i = 0; i < p->nsteps; i++)
        if (span[i].end > span[i].start) {
            struct sp_bar b = sp_bar_of(p, i, span[i], zero[sp_step_pass(p, i)]);
            add(&t, &b);
        }
    return t;
}

void sp_timeline_free(struct sp_timeline *t)
{
    free(t->bar);
    *t = (struct sp_timeline){ 0 };
}

/* ---- back from a trace ---- */

static const char *text_of(const json_t *event, const char *name)
{
    const char *text = json_string_value(sp_json_get(event, name));
    return text ? text : "";
}

/* "attn o part": the op, then what it writes. */
static void split_name(struct sp_bar *b, const char *name)
{
    char op[SP_BAR_TEXT];
    snprintf(op, sizeof op, "%.*s", (int)strcspn(name, " "), name);
    put_text(b->op, op);
    put_text(b->what, name[strlen(op)] ? name + strlen(op) + 1 : "");
}

static const char *read_event(const json_t *event, size_t number, struct sp_timeline *t)
{
    const json_t *ts = sp_json_get(event, "ts"), *dur = sp_json_get(event, "dur"),
                 *args = sp_json_get(event, "args");
    if (strcmp(text_of(event, "ph"), "X"))
        return NULL;
    struct sp_bar b = { .start = json_number_value(ts) / 1e6,
                        .pass = strcmp(text_of(args, "pass"), "bwd") ? SP_FORWARD : SP_BACKWARD };
    b.end = b.start + json_number_value(dur) / 1e6;
    long rank = 0, step = 0;
    const char *why = sp_json_whole(event, "pid", 0, SP_MAX_RANKS, 0, &rank);
    if (!why)
        why = sp_json_whole(args, "step", 0, 1L << 30, 0, &step);
    if (!why && (!json_is_number(ts) || !json_is_number(dur) || !isfinite(b.end)
                 || !(b.end >= b.start)))
        why = "ts and dur must be microseconds, dur not below 0";
    if (why)
        return sp_why("event %zu: %s", number + 1, why);
    b.rank = (int)rank;
    b.step = (int)step;
    b.transfer = !strcmp(text_of(event, "cat"), "transfer");
    split_name(&b, text_of(event, "name"));
    put_text(b.lane, text_of(event, "tid"));
    add(t, &b);
    return NULL;
}

const char *sp_timeline_read(const char *path, struct sp_timeline *t)
{
    const char *why = NULL;
    json_t *root = sp_json_load(path, &why);
    *t = (struct sp_timeline){ 0 };
    if (!root)
        return why;
    const json_t *events = sp_json_get(root, "traceEvents");
    size_t n = json_array_size(events);
    if (!json_is_array(events))
        why = "it has no list traceEvents: write it with seqpar run --trace";
    else if (n > MAX_BARS)
        why = sp_why("it has %zu events, more than %d", n, MAX_BARS);
    for (size_t i = 0; i < n && !why; i++)
        why = read_event(json_array_get(events, i), i, t);
    if (!why && !t->n)
        why = "it has no event with a duration";
    json_decref(root);
    if (why) {
        sp_timeline_free(t);
        return sp_why("cannot use %s: %s", path, why);
    }
    return NULL;
}
