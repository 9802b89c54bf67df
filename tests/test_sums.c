/* test_sums.c - the smallest plans that are wrong: one rank and a few tokens, of which one key,
 * or one query, is left out or counted twice. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "plan/check.h"
#include "strategy/parts.h"

enum { S = 5 };

static struct sp_plan *plan_new(bool causal, bool backward, int heads, struct sp_site *s)
{
    struct sp_problem pb = { .seq = S, .ranks = 1, .batch = 1, .heads = heads, .kv_heads = 1,
                             .dim = 4, .causal = causal, .backward = backward };
    struct sp_plan *p = sp_plan_new(&pb);
    *s = sp_site_home(p, 0, (struct sp_share){ 0, 1, 0, 1 });
    sp_site_stats(p, s);
    return p;
}

/* NULL expects it right; else what must be said. */
static void judge(struct sp_plan *p, const char *says)
{
    const char *why = sp_check(p);
    if (!says && why)
        fail_msg("%s", why);
    if (says && (!why || !strstr(why, says)))
        fail_msg("'%s' does not say '%s'", why ? why : "accepted", says);
    sp_plan_free(p);
}

static void refused(struct sp_plan *p, const char *what, long first, long last, const char *twice)
{
    char says[80];
    snprintf(says, sizeof says, "%s %ld..%ld%s", what, first, last, twice);
    judge(p, says);
}

/* ---- forward ------------------------------------------------------------------------ */

/* Attention over keys [a, b) and, merged, over keys [c, d). */
static struct sp_plan *two_pieces(bool causal, int a, int b, int c, int d)
{
    struct sp_site s;
    struct sp_plan *p = plan_new(causal, false, 1, &s);
    struct sp_block part = sp_like(p, s.o, "part", SP_F32), lse = sp_like(p, s.lse, "lse", SP_F32);
    sp_attn(p, s.o, s.lse, s.q, sp_rows(s.k, a, b - a), sp_rows(s.v, a, b - a));
    sp_attn(p, part, lse, s.q, sp_rows(s.k, c, d - c), sp_rows(s.v, c, d - c));
    sp_merge(p, s.o, s.lse, part, lse);
    return p;
}

static void test_each_key_once(void **state)
{
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        for (int cut = 1; cut < S; cut++)
            judge(two_pieces(causal, 0, cut, cut, S), NULL);
        for (int missed = 1; missed < S - 1; missed++)
            refused(two_pieces(causal, 0, missed, missed + 1, S), "miss keys", missed, missed, "");
        for (int again = 1; again < S - 1; again++)
            refused(two_pieces(causal, 0, again + 1, again, S), "count keys", again, again,
                    " twice");
        refused(two_pieces(causal, 1, 3, 3, S), "miss keys", 0, 0, "");
        refused(two_pieces(causal, 0, 3, 3, S - 1), "miss keys", S - 1, S - 1, "");
    }
}

/* Queries may meet keys in pieces of their own, as in zigzag. */
static void test_rows_by_themselves(void **state)
{
    (void)state;
    for (int missed = 0; missed < S; missed++) {
        struct sp_site s;
        struct sp_plan *p = plan_new(true, false, 1, &s);
        for (int i = 0; i < S; i++) {
            int keys = i == missed && i ? i : i + 1;        /* its own key, or the one before */
            sp_attn(p, sp_rows(s.o, i, 1), sp_rows(s.lse, i, 1), sp_rows(s.q, i, 1),
                    sp_rows(s.k, 0, keys), sp_rows(s.v, 0, keys));
        }
        if (missed)
            refused(p, "miss keys", missed, missed, "");
        else
            judge(p, NULL);
    }
}

static void test_heads_crossed(void **state)
{
    (void)state;
    for (int crossed = 0; crossed < 2; crossed++) {
        struct sp_site s;
        struct sp_plan *p = plan_new(true, false, 2, &s);
        struct sp_block o = sp_like(p, s.o, "elsewhere", SP_F32);
        sp_attn(p, o, s.lse, s.q, s.k, s.v);
        for (int h = 0; h < 2; h++)
            sp_copy(p, SP_COMPUTE, sp_heads(s.o, h, 1), sp_heads(o, crossed ? 1 - h : h, 1));
        judge(p, crossed ? "'o' is not where the layout says" : NULL);
    }
}

static void test_lse_left_incomplete(void **state)
{
    struct sp_site s;
    struct sp_plan *p = plan_new(false, false, 1, &s);
    struct sp_block lse = sp_like(p, s.lse, "lse", SP_F32);
    (void)state;
    sp_attn(p, s.o, lse, s.q, s.k, s.v);
    judge(p, "output 'lse' is not all there");
    p = plan_new(false, false, 1, &s);
    struct sp_block o = sp_like(p, s.o, "elsewhere", SP_F32);
    sp_attn(p, o, s.lse, s.q, sp_rows(s.k, 0, 2), sp_rows(s.v, 0, 2));
    lse = sp_like(p, s.lse, "lse", SP_F32);
    sp_attn(p, s.o, lse, s.q, s.k, s.v);
    refused(p, "miss keys", 2, S - 1, "");
}

/* ---- backward ------------------------------------------------------------------------- */

/* A plan whose dq is right, and what of dk and dv is to be summed. */
struct start { struct sp_plan *p; struct sp_site s; struct sp_block dq, dk, dv; };

static struct start start(bool causal, int heads)
{
    struct start t;
    struct sp_plan *p = t.p = plan_new(causal, true, heads, &t.s);
    t.dq = sp_like(p, t.s.dq, "dq part", SP_F32);
    t.dk = sp_like(p, t.s.dk, "dk part", SP_F32);
    t.dv = sp_like(p, t.s.dv, "dv part", SP_F32);
    sp_alone_forward(p, &t.s);
    sp_backward(p);
    struct sp_site only_dq = t.s;
    only_dq.dk = t.dk;
    only_dq.dv = t.dv;
    sp_alone_backward(p, &only_dq);
    return t;
}

/* Sum what query heads [head, head+heads) of queries [row, row+rows) give to dk and dv. */
static void contribute(struct start *t, bool first, int row, int rows, int head, int heads)
{
    const struct sp_site *s = &t->s;
    const struct sp_block whole[] = { t->dq, s->q, s->dout, s->lse, s->delta };
    struct sp_block b[5];
    for (int i = 0; i < 5; i++)
        b[i] = sp_rows(sp_heads(whole[i], head, heads), row, rows);
    sp_grad(t->p, (struct sp_grad_blocks){ .dq = b[0], .dk = first ? s->dk : t->dk,
        .dv = first ? s->dv : t->dv, .q = b[1], .k = s->k, .v = s->v, .dout = b[2], .lse = b[3],
        .delta = b[4] });
    if (first)
        return;
    sp_add(t->p, s->dk, t->dk);
    sp_add(t->p, s->dv, t->dv);
}

/* Queries [a, b), then [c, d). */
static struct sp_plan *two_turns(bool causal, int heads, int a, int b, int c, int d)
{
    struct start t = start(causal, heads);
    contribute(&t, true, a, b - a, 0, heads);
    contribute(&t, false, c, d - c, 0, heads);
    return t.p;
}

static void test_each_query_once(void **state)
{
    (void)state;
    for (int causal = 0; causal < 2; causal++)
        for (int heads = 1; heads < 4; heads += 2) {
            for (int cut = 1; cut < S; cut++)
                judge(two_turns(causal, heads, 0, cut, cut, S), NULL);
            for (int again = 1; again < S - 1; again++)
                refused(two_turns(causal, heads, 0, again + 1, again, S), "count queries", again,
                        again, " twice");
            for (int missed = 1; missed < S - 1; missed++)
                refused(two_turns(causal, heads, 0, missed, missed + 1, S), "miss queries",
                        missed, missed, "");
            refused(two_turns(causal, heads, 1, 3, 3, S), "miss queries", 0, 0, "");
        }
}

/* Each query head by itself, in this order. */
static struct sp_plan *by_heads(const char *heads)
{
    struct start t = start(true, 3);
    for (int i = 0; heads[i]; i++)
        contribute(&t, i == 0, 0, S, heads[i] - '0', 1);
    return t.p;
}

static void test_each_head_once(void **state)
{
    (void)state;
    judge(by_heads("012"), NULL);
    judge(by_heads("201"), NULL);
    judge(by_heads("01"), "miss queries 0..4 (dk, head 2)");
    judge(by_heads("12"), "miss queries 0..4 (dk, head 0)");
    judge(by_heads("0112"), "count queries 0..4 twice (dk, head 1)");
    judge(by_heads("011"), "(dk, head 1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_key_once),
        cmocka_unit_test(test_rows_by_themselves),
        cmocka_unit_test(test_heads_crossed),
        cmocka_unit_test(test_lse_left_incomplete),
        cmocka_unit_test(test_each_query_once),
        cmocka_unit_test(test_each_head_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
