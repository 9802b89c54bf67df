/* test_check.c - plans of every kind are proved right, and what can't be done is refused
 * with a reason and values that really would do. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"

static void test_all_proved(void **state)
{
    struct case_walk w = { .set = cases_to_prove };
    int proved = 0, refused = 0;
    (void)state;
    while (case_next(&w)) {
        if (w.refused) {
            refused++;
            continue;
        }
        struct sp_plan *p = sp_strategy_plan(w.strategy, &w.pb);
        const char *why = sp_check(p);
        if (why)
            fail_msg("%s: %s", w.name, why);
        sp_plan_free(p);
        proved++;
    }
    print_message("proved %d plans; %d combinations were refused\n", proved, refused);
    assert_true(proved > 6000);
}

/* ---- layouts ------------------------------------------------------------------------ */

/* Which of n shards has token t, and as its how manieth. */
static int shard_of(enum sp_layout layout, long seq, int n, long t, long *row)
{
    long rows = seq / n, half = rows / 2, chunk = half ? t / half : 0;
    if (layout == SP_STRIPED) {
        *row = t / n;
        return (int)(t % n);
    }
    if (layout == SP_CONTIGUOUS) {
        *row = t % rows;
        return (int)(t / rows);
    }
    *row = t % half + (chunk < n ? 0 : half);
    return (int)(chunk < n ? chunk : 2 * n - 1 - chunk);
}

/* A hybrid's shards are those of its rings, cut for the members of an all-to-all. */
static int owner_of(const struct case_walk *w, long t, long *row)
{
    const struct sp_problem *pb = &w->pb;
    bool hybrid = !strcmp(w->strategy->name, "hybrid");
    int pu = hybrid ? pb->knob[0] : 1, pr = pb->ranks / pu;
    long rows = pb->seq / pb->ranks;
    int r = shard_of(pb->layout, pb->seq, pr, t, row), u = (int)(*row / rows);
    *row %= rows;
    return hybrid && pb->knob[1] ? u * pr + r : r * pu + u;
}

static void test_tokens_where_the_layout_says(void **state)
{
    struct case_walk w = { .set = cases_to_run };
    (void)state;
    while (case_next_plan(&w)) {
        struct sp_plan *p = sp_strategy_plan(w.strategy, &w.pb);
        for (long t = 0; t < w.pb.seq; t++) {
            long row;
            int rank = owner_of(&w, t, &row);
            int cut = sp_places_cut(&p->places, p->home[rank], row, 1);
            if (sp_places_at(&p->places, cut).run[0].start != t)
                fail_msg("%s: token %ld is not in row %ld of rank %d", w.name, t, row, rank);
        }
        sp_plan_free(p);
    }
}

/* ---- refusals ---------------------------------------------------------------------- */

/* Where the value that a message begins with sits: "sp 3 must", "seq 100 must", or a knob. */
static bool put(const struct sp_strategy *s, struct sp_problem *pb, const char *why, long value)
{
    char text[24];
    const char *dot = strchr(why, '.');
    if (!strncmp(why, "sp ", 3)) {
        pb->ranks = (int)value;
    } else if (!strncmp(why, "seq ", 4)) {
        pb->seq = value;
    } else if (dot && !strncmp(why, s->name, (size_t)(dot - why))) {
        char knob[24];
        snprintf(knob, sizeof knob, "%.*s", (int)strcspn(dot + 1, " "), dot + 1);
        snprintf(text, sizeof text, "%ld", value);
        return !sp_strategy_set(s, pb, knob, text);
    } else {
        return false;
    }
    return true;
}

static long now_at(const struct sp_strategy *s, const struct sp_problem *pb, const char *why)
{
    if (!strncmp(why, "sp ", 3))
        return pb->ranks;
    if (!strncmp(why, "seq ", 4))
        return pb->seq;
    for (int i = 0; s->knobs[i].name; i++)
        if (!strncmp(strchr(why, '.') + 1, s->knobs[i].name, strlen(s->knobs[i].name)))
            return pb->knob[i];
    return -1;
}

static bool accepted(const struct case_walk *w, const char *why, long value)
{
    struct sp_problem pb = w->pb;
    return put(w->strategy, &pb, why, value) && !sp_strategy_settle(w->strategy, &pb);
}

/* Suggestions are accepted, and nothing between them is. */
static void assert_reasoned(const struct case_walk *w)
{
    char why[240];
    snprintf(why, sizeof why, "%s", w->refused);
    const char *at = strstr(why, "nearest: ");
    long value = now_at(w->strategy, &w->pb, why), said = atol(strchr(why, ' '));
    if (value != said || !at)
        fail_msg("%s: '%s' does not name the value and the nearest that would do", w->name, why);
    long low = 0, high = value + 200;
    for (at += strlen("nearest: "); at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL) {
        long v = atol(at);
        if (!accepted(w, why, v))
            fail_msg("%s: '%s', but %ld is refused too", w->name, why, v);
        low = v < value && v > low ? v : low;
        high = v > value && v < high ? v : high;
    }
    for (long v = low + 1; v < high; v++)
        if (accepted(w, why, v))
            fail_msg("%s: '%s', but %ld would do too", w->name, why, v);
}

static void test_refusals(void **state)
{
    static const struct case_set refused[] = {
        { "ulysses",   { "ranks 3 5 6 7 9 12", "heads 32:32 32:8 16:2 12:4 12:1", "seq 7207200" } },
        { "ulysses",   { "ranks 2 4", "heads 24:8 24:24 12:4", "chunks 1 2 3 4 5 6 7 9 99",
                         "seq 7207200" } },
        { "ring",      { "ranks 2 3 4 8", "layout contiguous zigzag striped", "chunks 1 2 3 5",
                         "seq 100 101 97 1000 1024 8" } },
        { "hybrid",    { "ranks 2 4 6 8 12", "heads 32:8 6:6 12:4", "pu 1 2 3 4 5 6 7 8 9",
                         "seq 7207200" } },
        { "hybrid",    { "ranks 4 8 12", "layout contiguous zigzag", "pu 2 4", "chunks 1 2 3",
                         "seq 100 101 1000 1024" } },
        { "allgather", { "ranks 2", "heads 8:8 12:6 8:1 10:10", "stride 1 2 3 4 5 6 7 8 9 99" } },
        { "allgather", { "ranks 3 4", "layout contiguous zigzag striped", "seq 100 101 7" } },
        { NULL, { NULL } }
    };
    struct case_walk w = { .set = refused };
    int n = 0;
    (void)state;
    while (case_next(&w))
        if (w.refused) {
            assert_reasoned(&w);
            n++;
        }
    print_message("%d refusals, each with values that would do\n", n);
    assert_true(n > 200);
}

static void test_refused_by_name(void **state)
{
    static const struct { const char *strategy, *settings, *why; } cases[] = {
        { "ulysses", "ranks=3 heads=32:8 seq=16384",
          "sp 3 must divide heads 32; nearest: 2, 4" },
        { "ulysses", "ranks=4 heads=4:3 seq=16384", "kv-heads 3 must divide heads 4" },
        { "ulysses", "ranks=6 heads=12:4 seq=4800",
          "sp 6 must divide kv-heads 4 or be a multiple of it; nearest: 4, 12" },
        { "local", "ranks=2", "sp 2 must be 1 for local" },
        { "ring", "ranks=4 seq=0", "seq 0 must be from 1 to 2147483647" },
        { "ring", "ranks=4 seq=3", "sp 4 is more ranks than seq 3 has tokens" },
        { "ring", "ranks=4 seq=100 layout=zigzag",
          "seq 100 must be a multiple of 8 for sp 4 and layout zigzag; nearest: 96, 104" },
        { "local", "heads=40000:8", "heads 40000 must be at most 32767" },
        { "ring", "ranks=0 seq=8", "sp 0 must be at least 1" },
        { "ring", "ranks=1 batch=0", "batch 0 must be at least 1" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sp_problem pb;
        const char *why = case_problem(cases[i].strategy, cases[i].settings, &pb);
        assert_non_null(why);
        assert_string_equal(why, cases[i].why);
    }
}

static void test_knobs(void **state)
{
    const struct sp_strategy *s = sp_strategy_find("ring");
    struct sp_problem pb = { .seq = 64, .ranks = 4 };
    char text[120];
    (void)state;
    sp_strategy_reset(s, &pb);
    assert_null(sp_strategy_set(s, &pb, "bwd", "home"));
    assert_null(sp_strategy_set(s, &pb, "buffers", "3"));
    sp_strategy_knobs(s, &pb, false, text, sizeof text);
    assert_string_equal(text, "bwd=home fused=1 buffers=3 chunks=1");
    assert_string_equal(sp_strategy_set(s, &pb, "bwd", "1"), "ring.bwd '1' must be rev or home");
    assert_string_equal(sp_strategy_set(s, &pb, "chunks", "0"),
                        "ring.chunks '0' must be a number from 1 to 4096");
    assert_string_equal(sp_strategy_set(s, &pb, "pu", "2"),
                        "ring has no knob 'pu'; it has bwd fused buffers chunks");
    assert_null(sp_strategy_find("rings"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_proved),
        cmocka_unit_test(test_tokens_where_the_layout_says),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refused_by_name),
        cmocka_unit_test(test_knobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
