/* test_example.c - the strategy that docs/ADDING.md shows is right. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "strategy/strategy.h"

extern const struct sp_strategy sp_example;

static void is_right(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 8; ranks++)
        for (int causal = 0; causal < 2; causal++) {
            struct sp_problem pb = { .seq = 48L * ranks, .batch = 2, .heads = 8, .kv_heads = 2,
                .dim = 64, .dtype = SP_BF16, .causal = causal, .backward = true, .ranks = ranks };
            sp_strategy_reset(&sp_example, &pb);
            assert_null(sp_strategy_settle(&sp_example, &pb));
            struct sp_plan *p = sp_strategy_plan(&sp_example, &pb);
            assert_null(sp_check(p));
            struct sp_count c = sp_rank_count(p, 0, SP_FORWARD);
            assert_int_equal(sp_count_messages(&c), 2 * (ranks - 1));
            sp_plan_free(p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_right) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
