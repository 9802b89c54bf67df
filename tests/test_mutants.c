/* test_mutants.c - plans with one thing changed, whatever it is: the proof refuses them, or
 * they are right in any order. */
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
#include "replay.h"

enum { SEEDS = 2, EACH = 40 };          /* orders of a mutant; steps sampled of a plan */

static struct { long made, refused, harmless; } tally[EDIT_ONE_BUFFER + 1];
static unsigned long dice = 1;

static int roll(int n)
{
    dice = dice * 6364136223846793005ul + 1442695040888963407ul;
    return (int)(dice >> 33) % n;
}

/* Where it is accepted, it must be right. */
static void judge(const struct sp_plan *q, int kind, const char *name, const char *what)
{
    const char *why = sp_check(q);
    tally[kind].made++;
    if (why) {
        tally[kind].refused++;
        return;
    }
    for (int i = 0; i < 2 * SEEDS; i++) {
        struct off off = disorder_run(q, (struct disorder){
            .seed = (unsigned long)i, .streams = i % 2, .times = 1 });
        if (off.why || !(off.by <= disorder_tolerance(&q->pb)))
            fail_msg("%s, %s: accepted, but %s is off by %g %s", name, what,
                     sp_kind_names[off.in], off.by, off.why ? off.why : "");
    }
    tally[kind].harmless++;
}

static void judge_edit(const struct sp_plan *p, struct edit e, const char *name)
{
    static const char *const kinds[] = { "as it is", "without", "redirected", "swapped", "late",
                                         "in another lane", "joined", "" };
    struct sp_plan *q = replay(p, e);
    char what[160];
    snprintf(what, sizeof what, "%s: step %d (%s, rank %d), block %d to '%s' of rank %d, with %d",
             kinds[e.kind], e.step, sp_ops[p->step[e.step].op].name, p->step[e.step].rank, e.block,
             p->buf[e.to.buf].name, p->buf[e.to.buf].rank, e.with);
    judge(q, e.kind, name, what);
    sp_plan_free(q);
}

/* Another place for a block: other rows, heads or a plane of its buffer, or another buffer
 * with room for it. */
static struct sp_block elsewhere(const struct sp_plan *p, struct sp_block b)
{
    for (int tries = 0; tries < 400; tries++) {
        struct sp_block to = b;
        if (roll(4))
            to.buf = roll(p->nbufs);
        const struct sp_buf *buf = &p->buf[to.buf];
        if (buf->kind[0] != p->buf[b.buf].kind[0] && roll(20))
            continue;
        if (buf->rows < b.rows || buf->heads < b.heads || buf->planes < b.planes)
            continue;
        if (to.row + to.rows > buf->rows || roll(2))
            to.row = roll(4) ? roll(buf->rows / b.rows) * b.rows : roll(buf->rows - b.rows + 1);
        if (to.head + to.heads > buf->heads || roll(2))
            to.head = (short)(roll(buf->heads / b.heads) * b.heads);
        if (to.plane + to.planes > buf->planes || roll(4) == 0)
            to.plane = (signed char)(roll(buf->planes / b.planes) * b.planes);
        if (!sp_block_same(to, b))
            return to;
    }
    return b;
}

/* The group before that of a step on its lane; -1: none. */
static int group_before(const struct sp_plan *p, int step)
{
    const struct sp_step *s = &p->step[step];
    for (int i = step - 1; i >= 0; i--)
        if (p->step[i].rank == s->rank && p->step[i].lane == s->lane && p->step[i].group >= 0
            && p->step[i].group != s->group)
            return p->step[i].group;
    return -1;
}

/* The same work, in another lane or group. */
static void reschedule(const struct sp_plan *p, int step, const char *name)
{
    const struct sp_step *s = &p->step[step];
    if (s->op == SP_COPY || s->op == SP_SEND)
        judge_edit(p, (struct edit){ .kind = EDIT_LANE, .step = step,
                                     .with = s->lane == SP_COMM ? SP_COMM2 : SP_COMM }, name);
    if (s->op == SP_SEND && group_before(p, step) >= 0)
        judge_edit(p, (struct edit){ .kind = EDIT_JOIN, .step = step,
                                     .with = group_before(p, step) }, name);
}

static void mutate(const struct sp_plan *p, int step, const char *name)
{
    int next = replay_next(p, step), later = next;
    for (int i = next < 0 ? 0 : roll(8); i > 0 && replay_next(p, later) > later; i--)
        later = replay_next(p, later);
    judge_edit(p, (struct edit){ .kind = EDIT_DROP, .step = step }, name);
    reschedule(p, step, name);
    if (later > step)
        judge_edit(p, (struct edit){ .kind = EDIT_LATE, .step = step, .with = later }, name);
    if (next >= 0)
        judge_edit(p, (struct edit){ .kind = EDIT_SWAP, .step = step, .with = next }, name);
    for (int i = 0; i < sp_ops[p->step[step].op].nblocks; i++) {
        struct sp_block b = sp_step_blocks(p, step)[i], to = elsewhere(p, b);
        if (!sp_block_same(b, to))
            judge_edit(p, (struct edit){ .kind = EDIT_REDIRECT, .step = step, .block = i,
                                         .to = to }, name);
    }
}

static void test_steps_changed(void **state)
{
    struct case_walk w = { .set = cases_to_break };
    int plans = 0;
    (void)state;
    while (case_next_plan(&w)) {
        struct sp_plan *p = sp_strategy_plan(w.strategy, &w.pb);
        for (int i = 0; i < p->nsteps; i++)
            if (p->nsteps <= EACH || roll(p->nsteps) < EACH)
                mutate(p, i, w.name);
        sp_plan_free(p);
        plans++;
    }
    for (int kind = EDIT_DROP; kind <= EDIT_JOIN; kind++) {
        static const char *const kinds[] = { "", "dropped", "redirected", "swapped", "late",
                                             "in another lane", "in another group" };
        print_message("%s in %d plans: %ld mutants, %ld refused, %ld harmless\n", kinds[kind],
                      plans, tally[kind].made, tally[kind].refused, tally[kind].harmless);
        assert_true(tally[kind].made > 500);
    }
    assert_true(tally[EDIT_DROP].refused > tally[EDIT_DROP].made * 4 / 5);
    assert_true(tally[EDIT_REDIRECT].refused > tally[EDIT_REDIRECT].made * 4 / 5);
    definition_forget();
}

/* ---- waiting left out --------------------------------------------------------------- */

enum { WITHOUT_NEED = EDIT_ONE_BUFFER };        /* of the tally, and of no edit */

static void drop_need(struct sp_plan *p, int step, int at, const char *name)
{
    struct sp_step *s = &p->step[step];
    int last = s->need + s->needs - 1, on = p->need[s->need + at], kept = p->need[last];
    char what[120];
    snprintf(what, sizeof what, "step %d (%s) not waiting for %d (%s)", step, sp_ops[s->op].name,
             on, sp_ops[p->step[on].op].name);
    p->need[s->need + at] = kept;
    s->needs--;
    const char *why = sp_check(p);
    if (why && !strstr(why, "race"))
        fail_msg("%s, %s: refused, but as '%s'", name, what, why);
    judge(p, WITHOUT_NEED, name, what);
    s->needs++;
    p->need[last] = kept;
    p->need[s->need + at] = on;
}

/* Each wait that was derived is needed, or another implies it. */
static void test_waits_dropped(void **state)
{
    struct case_walk w = { .set = cases_to_break };
    (void)state;
    while (case_next_plan(&w)) {
        struct sp_plan *p = sp_strategy_plan(w.strategy, &w.pb);
        int needs = 0;
        for (int i = 0; i < p->nsteps; i++)
            needs += p->step[i].needs;
        for (int i = 0; i < p->nsteps; i++)
            for (int j = 0; j < p->step[i].needs; j++)
                if (needs <= EACH || roll(needs) < EACH)
                    drop_need(p, i, j, w.name);
        assert_null(sp_check(p));
        sp_plan_free(p);
    }
    print_message("waits: %ld left out, %ld refused, %ld implied by others\n",
                  tally[WITHOUT_NEED].made, tally[WITHOUT_NEED].refused,
                  tally[WITHOUT_NEED].harmless);
    assert_true(tally[WITHOUT_NEED].refused > tally[WITHOUT_NEED].made / 2);
    definition_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_changed),
        cmocka_unit_test(test_waits_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
