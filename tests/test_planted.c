/* test_planted.c - named faults, planted in plans of every strategy, layout and ratio of
 * heads: each is refused, by a message that names it. */
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
#include "definition.h"
#include "disorder.h"
#include "faults.h"
#include "plan/check.h"

enum { SITES = 10, SEEDS = 6, STRATEGIES = 5 };     /* SITES: steps of a plan, at most */

static struct tally { int planted, refused; } tally[100][STRATEGIES];

static int number_of(const struct sp_strategy *s)
{
    int i = 0;
    while (sp_strategies[i] != s)
        i++;
    return i;
}

static bool says(const char *why, const char *words)
{
    while (*words) {
        char word[80];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(words, "|"), words);
        if (strstr(why, word))
            return true;
        words += strlen(word);
        words += *words == '|';
    }
    return false;
}

static void assert_right(const struct sp_plan *q, const char *what)
{
    for (int i = 0; i < SEEDS; i++) {
        struct off off = disorder_run(q, (struct disorder){
            .seed = (unsigned long)i, .streams = i % 2, .times = 1 });
        if (off.why || !(off.by <= disorder_tolerance(&q->pb)))
            fail_msg("%s: accepted, but %s is off by %g", what, sp_kind_names[off.in], off.by);
    }
}

static void plant(const struct fault *f, const struct case_walk *w, const struct sp_plan *p, int step)
{
    struct sp_plan *q = f->plant(p, step);
    if (!q)
        return;
    struct tally *t = &tally[f - faults][number_of(w->strategy)];
    char what[400];
    snprintf(what, sizeof what, "%s at step %d (%s of rank %d) of %s", f->name, step,
             sp_ops[p->step[step].op].name, p->step[step].rank, w->name);
    const char *why = sp_check(q);
    if (!why)
        assert_right(q, what);          /* as when keys that no one sees are lost */
    else if (!says(why, f->words))
        fail_msg("%s: refused, but as '%s'", what, why);
    t->planted++;
    t->refused += why != NULL;
    sp_plan_free(q);
}

static bool suits(const struct fault *f, const struct sp_plan *p, int step)
{
    return p->step[step].op == f->op
           && (f->pass == FAULT_ANY || f->pass == (int)sp_step_pass(p, step));
}

/* In up to SITES steps of a plan, spread over it. */
static void plant_all(const struct fault *f, const struct case_walk *w, const struct sp_plan *p)
{
    int n = 0, at = 0;
    for (int i = 0; i < p->nsteps; i++)
        n += suits(f, p, i);
    for (int i = 0; i < p->nsteps; i++) {
        if (!suits(f, p, i))
            continue;
        if (n <= SITES || (long)at * SITES / n != (long)(at + 1) * SITES / n)
            plant(f, w, p, i);
        at++;
    }
}

static void test_each_is_refused(void **state)
{
    struct case_walk w = { .set = cases_to_break };
    int planted = 0, refused = 0;
    (void)state;
    while (case_next_plan(&w)) {
        struct sp_plan *p = sp_strategy_plan(w.strategy, &w.pb);
        for (const struct fault *f = faults; f->name; f++)
            plant_all(f, &w, p);
        sp_plan_free(p);
    }
    for (const struct fault *f = faults; f->name; f++)
        for (int i = 0; i < STRATEGIES; i++) {
            const struct tally *t = &tally[f - faults][i];
            planted += t->planted;
            refused += t->refused;
            if (strstr(f->where, sp_strategies[i]->name) && !t->refused)
                fail_msg("%s (%s): never refused in %s, planted %d times", f->name,
                         sp_ops[f->op].name, sp_strategies[i]->name, t->planted);
        }
    print_message("%d faults planted: %d refused by name, %d harmless and shown right\n", planted,
                  refused, planted - refused);
    definition_forget();
}

/* ---- by hand --------------------------------------------------------------------------- */

static struct sp_block queries(struct sp_plan *p, int rank, bool held)
{
    struct sp_buf shape = { .name = "q", .kind = { SP_Q }, .role = held ? SP_INPUT : SP_SCRATCH,
                            .rows = 1, .heads = 1 };
    struct sp_block b = sp_whole(p, sp_buf_new(p, rank, &shape));
    if (held)
        sp_hold(p, b, (struct sp_where){ &(struct sp_run){ rank, 1, 1 }, 1 }, 0);
    return b;
}

/* Rank 0 sends x, to be used again, in the group that ends with a message which rank 2 can
 * take only when it has got what rank 0 sends from x the second time. */
static void test_deadlock(void **state)
{
    struct sp_problem pb = { .seq = 3, .ranks = 3, .batch = 1, .heads = 1, .kv_heads = 1,
                             .dim = 4 };
    struct sp_plan *p = sp_plan_new(&pb);
    (void)state;
    struct sp_block z = queries(p, 0, true), x = queries(p, 0, false), at1 = queries(p, 1, false),
                    at2 = queries(p, 2, false), used = queries(p, 2, false);
    sp_copy(p, SP_COMPUTE, x, z);
    sp_group(p);
    int group = p->group;
    sp_move(p, SP_COMM, at1, x);
    sp_copy(p, SP_COMPUTE, x, z);
    sp_group(p);
    sp_move(p, SP_COMM2, at2, x);
    sp_copy(p, SP_COMPUTE, used, at2);
    p->group = group;
    sp_move(p, SP_COMM, at2, z);
    const char *why = sp_check_order(p);
    assert_string_equal(why ? why : "", "deadlock: step 3 (copy of rank 0) never starts");
    sp_plan_free(p);
}

/* What a copy over part of itself leaves behind is the kernel's affair. */
static void test_copy_onto_itself(void **state)
{
    struct sp_problem pb = { .seq = 4, .ranks = 1, .batch = 1, .heads = 1, .kv_heads = 1,
                             .dim = 4 };
    struct sp_plan *p = sp_plan_new(&pb);
    struct sp_buf in = { .name = "q", .kind = { SP_Q }, .role = SP_INPUT, .rows = 4, .heads = 1 },
                  out = { .name = "scratch", .kind = { SP_Q }, .rows = 4, .heads = 1 };
    (void)state;
    struct sp_block q = sp_whole(p, sp_buf_new(p, 0, &in)), x = sp_whole(p, sp_buf_new(p, 0, &out));
    sp_hold(p, q, (struct sp_where){ &(struct sp_run){ 0, 1, 4 }, 1 }, 0);
    sp_copy(p, SP_COMPUTE, x, q);
    assert_null(sp_check_shape(p));
    sp_copy(p, SP_COMPUTE, sp_rows(x, 1, 3), sp_rows(x, 0, 3));
    assert_string_equal(sp_check_shape(p),
                        "step 1 (copy of rank 0): two of its blocks overlap in 'scratch'");
    sp_plan_free(p);
}

/* o and lse as planes of one buffer: their rows are not of one size. */
static void test_mixed_planes(void **state)
{
    struct sp_problem pb = { .seq = 4, .ranks = 1, .batch = 1, .heads = 1, .kv_heads = 1,
                             .dim = 4 };
    struct sp_plan *p = sp_plan_new(&pb);
    struct sp_buf mixed = { .name = "o lse", .kind = { SP_O, SP_LSE }, .planes = 2, .rows = 4,
                            .heads = 1 };
    (void)state;
    sp_buf_new(p, 0, &mixed);
    assert_non_null(strstr(sp_check(p), "buffer 'o lse' of rank 0 mixes planes"));
    sp_plan_free(p);
}

/* Tokens of no rank, or of two. */
static void test_homes(void **state)
{
    struct sp_plan *p = case_plan("ring", "ranks=4 rows=6 layout=contiguous");
    (void)state;
    p->home[1] = p->home[2];
    assert_non_null(strstr(sp_check(p), "tokens 6..11 are on no rank"));
    sp_plan_free(p);
    p = case_plan("ring", "ranks=4 rows=6 layout=striped");
    p->home[1] = sp_places_add(&p->places, &(struct sp_run){ 0, 1, 24 }, 1);
    assert_non_null(strstr(sp_check(p), "are on two ranks"));
    sp_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_refused),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_copy_onto_itself),
        cmocka_unit_test(test_mixed_planes),
        cmocka_unit_test(test_homes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
