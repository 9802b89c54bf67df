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

/* In up to SITES steps of a plan, spread over it. */
static void plant_all(const struct fault *f, const struct case_walk *w, const struct sp_plan *p)
{
    int n = 0, at = 0;
    for (int i = 0; i < p->nsteps; i++)
        n += p->step[i].op == f->op && (f->pass == FAULT_ANY || (int)sp_step_pass(p, i) == f->pass);
    for (int i = 0; i < p->nsteps; i++) {
        if (p->step[i].op != f->op || (f->pass != FAULT_ANY && (int)sp_step_pass(p, i) != f->pass))
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
