/* test_positions.c - lists of places, the pairs that a mask allows, and exact cover, against
 * counting one by one. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "plan/cover.h"
#include "plan/position.h"
#include "strategy/parts.h"

enum { MOST = 4096 };

static unsigned long dice = 7;

static long roll(long n)
{
    dice = dice * 6364136223846793005ul + 1442695040888963407ul;
    return (long)(dice >> 33) % n;
}

static int spell_out(struct sp_where w, long *place)
{
    int n = 0;
    for (int i = 0; i < w.nruns; i++)
        for (long j = 0; j < w.run[i].count; j++)
            place[n++] = w.run[i].start + j * w.run[i].stride;
    return n;
}

/* ---- lists ------------------------------------------------------------------------- */

static void test_canonical(void **state)
{
    static const struct sp_run spelt[][4] = {
        { { 3, 1, 5 } }, { { 3, 1, 2 }, { 5, 1, 3 } }, { { 3, 9, 1 }, { 4, 1, 4 } },
        { { 3, 4, 1 }, { 4, 4, 1 }, { 5, 1, 3 } }, { { 3, 1, 0 }, { 3, 1, 4 }, { 7, 5, 1 } },
    };
    struct sp_places w = { 0 };
    (void)state;
    int first = sp_places_add(&w, spelt[0], 1);
    for (size_t i = 0; i < sizeof spelt / sizeof *spelt; i++)
        assert_int_equal(sp_places_add(&w, spelt[i], 4), first);
    assert_int_equal(sp_places_rows(&w, first), 5);
    assert_int_not_equal(sp_places_add(&w, &(struct sp_run){ 3, 1, 6 }, 1), first);
    assert_int_not_equal(sp_places_add(&w, &(struct sp_run){ 3, 2, 5 }, 1), first);
    static const struct sp_run turned[] = { { 5, 1, 3 }, { 3, 1, 2 } };
    assert_int_not_equal(sp_places_add(&w, turned, 2), first);
    sp_places_free(&w);
}

/* Equal places, cut up at random in runs, have one number; others have another. */
static void test_canonical_at_random(void **state)
{
    struct sp_places w = { 0 };
    long place[64], again[64];
    (void)state;
    for (int round = 0; round < 3000; round++) {
        int n = 1 + (int)roll(12), at = (int)roll(40), nruns = 0;
        struct sp_run one[64], many[64];
        for (int i = 0; i < n; i++) {
            place[i] = at;
            one[i] = (struct sp_run){ at, 1, 1 };
            at += roll(3) ? 2 : 1 + (int)roll(4);
        }
        for (int i = 0; i < n;) {
            int len = 1;
            long stride = i + 1 < n ? place[i + 1] - place[i] : 1;
            while (i + len < n && place[i + len] - place[i + len - 1] == stride && roll(4))
                len++;
            many[nruns++] = (struct sp_run){ place[i], stride, len };
            i += len;
        }
        int list = sp_places_add(&w, one, n);
        assert_int_equal(sp_places_add(&w, many, nruns), list);
        assert_int_equal(spell_out(sp_places_at(&w, list), again), n);
        assert_memory_equal(place, again, (size_t)n * sizeof *place);
        int skip = (int)roll(n), rows = 1 + (int)roll(n - skip);
        assert_int_equal(sp_places_cut(&w, list, skip, rows),
                         sp_places_add(&w, one + skip, rows));
    }
    sp_places_free(&w);
}

static void test_cut(void **state)
{
    static const struct sp_run zigzag[] = { { 8, 1, 8 }, { 48, 1, 8 } };
    struct sp_places w = { 0 };
    (void)state;
    int list = sp_places_add(&w, zigzag, 2);
    assert_int_equal(sp_places_cut(&w, list, 0, 16), list);
    assert_int_equal(sp_places_cut(&w, list, 0, 8),
                     sp_places_add(&w, &(struct sp_run){ 8, 1, 8 }, 1));
    static const struct sp_run middle[] = { { 14, 1, 2 }, { 48, 1, 3 } };
    assert_int_equal(sp_places_cut(&w, list, 6, 5), sp_places_add(&w, middle, 2));
    int striped = sp_places_add(&w, &(struct sp_run){ 2, 4, 16 }, 1);
    assert_int_equal(sp_places_cut(&w, striped, 5, 3),
                     sp_places_add(&w, &(struct sp_run){ 22, 4, 3 }, 1));
    struct sp_places copy = sp_places_copy(&w);
    for (long i = 0; i < 500; i++)
        sp_places_add(&copy, &(struct sp_run){ i, 7, 3 }, 1);
    assert_int_equal(sp_places_cut(&copy, list, 6, 5), sp_places_cut(&w, list, 6, 5));
    sp_places_free(&copy);
    sp_places_free(&w);
}

/* ---- pairs --------------------------------------------------------------------------- */

static int random_runs(struct sp_run *run, long most)
{
    static const long strides[] = { 1, 1, 2, 3, 4, 6, 8, 5, 7, 12, 13, 64 };
    int n = 1 + (int)roll(3);
    for (int i = 0; i < n; i++)
        run[i] = (struct sp_run){ roll(most), strides[roll(12)], 1 + roll(40) };
    return n;
}

static double counted(struct sp_where q, struct sp_where k, bool causal)
{
    long a[MOST], b[MOST];
    int na = spell_out(q, a), nb = spell_out(k, b);
    double pairs = 0;
    for (int i = 0; i < na; i++)
        for (int j = 0; j < nb; j++)
            pairs += !causal || b[j] <= a[i];
    return pairs;
}

static void test_pairs(void **state)
{
    (void)state;
    for (int round = 0; round < 40000; round++) {
        struct sp_run q[3], k[3];
        long most = round % 3 ? 300 : 20;
        struct sp_where qs = { q, random_runs(q, most) }, ks = { k, random_runs(k, most) };
        for (int causal = 0; causal < 2; causal++) {
            double right = counted(qs, ks, causal);
            assert_true(sp_pairs(qs, ks, causal) == right);
            assert_int_equal(sp_sees(qs, ks, causal), right > 0);
        }
    }
    struct sp_where none = { NULL, 0 };
    assert_true(sp_pairs(none, none, true) == 0);
    assert_false(sp_sees(none, none, false));
}

/* Too long to count: closed forms. */
static void test_long_pairs(void **state)
{
    long s = 1 << 30, p = 1 << 9, c = s / p;
    struct sp_run all = { 0, 1, s };
    double n = (double)s;
    (void)state;
    assert_true(sp_pairs((struct sp_where){ &all, 1 }, (struct sp_where){ &all, 1 }, true)
                == n * (n + 1) / 2);
    for (long r = 0; r < p; r += 73) {
        struct sp_run striped = { r, p, c }, first = { 0, p, c };
        double rows = (double)c;
        assert_true(sp_pairs((struct sp_where){ &striped, 1 }, (struct sp_where){ &all, 1 }, true)
                    == (double)p * rows * (rows - 1) / 2 + rows * (double)(r + 1));
        assert_true(sp_pairs((struct sp_where){ &striped, 1 }, (struct sp_where){ &first, 1 }, true)
                    == rows * (rows + 1) / 2);
    }
}

static void test_work_of_layouts(void **state)
{
    static const double right[][4] = {
        [SP_CONTIGUOUS] = { 10, 26, 42, 58 },
        [SP_ZIGZAG]     = { 34, 34, 34, 34 },
        [SP_STRIPED]    = { 28, 32, 36, 40 },
    };
    struct sp_run all = { 0, 1, 16 };
    (void)state;
    for (enum sp_layout layout = SP_CONTIGUOUS; layout <= SP_STRIPED; layout++)
        for (int r = 0; r < 4; r++) {
            struct sp_run run[2];
            struct sp_where q = { run, sp_shard(layout, 16, r, 4, run) };
            assert_true(sp_pairs(q, (struct sp_where){ &all, 1 }, true) == right[layout][r]);
        }
    /* a zigzag ring: half of a full block in every step but the first */
    for (int r = 0; r < 4; r++)
        for (int t = 1; t < 4; t++) {
            struct sp_run q[2], k[2];
            struct sp_where qs = { q, sp_shard(SP_ZIGZAG, 64, r, 4, q) },
                            ks = { k, sp_shard(SP_ZIGZAG, 64, (r + 4 - t) % 4, 4, k) };
            assert_true(sp_pairs(qs, ks, true) == 16 * 16 / 2);
            assert_true(sp_pairs(qs, qs, true) == 16 * 16 / 2 + 16 / 2);
        }
}

/* ---- exact cover ------------------------------------------------------------------------ */

/* Lists that cover [0, seq) exactly: shards of a layout, some of them cut in two. */
static int exact_lists(struct sp_places *w, int *list, long seq)
{
    enum sp_layout layout = (enum sp_layout)roll(3);
    int n = 0, shards = 1 + (int)roll(4);
    for (int i = 0; i < shards; i++) {
        struct sp_run run[2];
        int all = sp_places_add(w, run, sp_shard(layout, seq, i, shards, run));
        long rows = sp_places_rows(w, all), cut = 1 + roll(rows - 1);
        if (roll(2)) {
            list[n++] = sp_places_cut(w, all, 0, cut);
            list[n++] = sp_places_cut(w, all, cut, rows - cut);
        } else {
            list[n++] = all;
        }
    }
    return n;
}

/* How often each place is named. */
static void count_places(const struct sp_places *w, const int *list, int n, int *times, long seq)
{
    long place[MOST];
    memset(times, 0, (size_t)seq * sizeof *times);
    for (int i = 0; i < n; i++) {
        int rows = spell_out(sp_places_at(w, list[i]), place);
        for (int j = 0; j < rows; j++)
            times[place[j]]++;
    }
}

static void test_cover(void **state)
{
    enum { SEQ = 48 };
    struct sp_places w = { 0 };
    struct sp_cover c = { .places = &w, .seq = SEQ };
    int exact = 0, times[SEQ];
    (void)state;
    for (int round = 0; round < 20000; round++) {
        int list[12], n = exact_lists(&w, list, SEQ);
        if (roll(3) == 0)               /* one is named twice */
            list[roll(n)] = list[roll(n)];
        if (roll(3) == 0)               /* one is missing */
            n--;
        long low = roll(3) ? 0 : roll(SEQ), high = roll(3) ? SEQ : low + 1 + roll(SEQ - low);
        count_places(&w, list, n, times, SEQ);
        bool right = true;
        for (long i = low; i < high; i++)
            right &= times[i] == 1;
        struct sp_cover_fault f = { -1, -1, -1 };
        assert_int_equal(sp_cover_exact(&c, list, n, low, high, &f), right);
        exact += right;
        if (right)
            continue;
        assert_true(low <= f.first && f.first <= f.last && f.last < high && f.times != 1);
        for (long i = f.first; i <= f.last; i++)
            assert_true(f.times == 0 ? times[i] == 0 : times[i] > 1);
    }
    assert_in_range(exact, 1000, 19000);
    sp_cover_free(&c);
    sp_places_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_canonical_at_random),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_long_pairs),
        cmocka_unit_test(test_work_of_layouts),
        cmocka_unit_test(test_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
