/* test_regions.c - boxes that are cut, written, read and carried, against a model that keeps
 * each cell by itself. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "plan/region.h"

enum { PLANES = 4, ROWS = 12, HEADS = 6, CELLS = PLANES * ROWS * HEADS, BUFS = 3, STEPS = 400,
       WORDS = (STEPS + 63) / 64 };

/* A cell knows its place and head, who wrote it, and who has read it since. */
struct cell { bool written; int list, place, head, value, writer; unsigned long reader[WORDS]; };

struct model { struct cell cell[CELLS]; };

static unsigned long dice = 3;

static int roll(int n)
{
    dice = dice * 6364136223846793005ul + 1442695040888963407ul;
    return (int)((dice >> 33) % (unsigned)n);
}

static struct sp_block random_block(int buf)
{
    struct sp_block b = { .buf = buf, .plane = (signed char)roll(PLANES), .row = roll(ROWS),
                          .head = (short)roll(HEADS) };
    b.planes = (signed char)(1 + roll(PLANES - b.plane));
    b.rows = 1 + roll(ROWS - b.row);
    b.heads = (short)(1 + roll(HEADS - b.head));
    if (roll(3) == 0) {
        b.head = 0;
        b.heads = HEADS;
    }
    return b;
}

/* The i-th of a block's cells: which it is. */
static struct sp_block cell_of(struct sp_block b, long i)
{
    struct sp_block one = { .buf = b.buf, .planes = 1, .rows = 1, .heads = 1 };
    one.head = (short)(b.head + i % b.heads);
    one.row = b.row + (int)(i / b.heads % b.rows);
    one.plane = (signed char)(b.plane + i / b.heads / b.rows);
    return one;
}

static struct cell *cell(struct model *m, struct sp_block one)
{
    return &m->cell[(one.plane * ROWS + one.row) * HEADS + one.head];
}

static void write_both(struct sp_region *g, struct model *m, struct sp_block b, int step)
{
    struct sp_content is = { roll(5), roll(7), roll(5), roll(9) };
    sp_region_write(g, b, is, step);
    for (long i = 0; i < sp_block_area(b); i++) {
        struct sp_block one = cell_of(b, i);
        *cell(m, one) = (struct cell){ .written = true, .list = is.list,
            .place = is.skip + one.row - b.row, .head = is.head + one.head - b.head,
            .value = is.value, .writer = step };
    }
}

static void read_both(struct sp_region *g, struct model *m, struct sp_block b, int step)
{
    struct sp_box *x;
    sp_region_cut(g, b);
    for (int i = 0; (x = sp_region_next(g, b, &i));) {
        assert_true(sp_block_same(x->b, sp_block_common(x->b, b)));     /* cut: none sticks out */
        sp_box_read(x, step);
    }
    for (long i = 0; i < sp_block_area(b); i++)
        cell(m, cell_of(b, i))->reader[step / 64] |= 1ul << step % 64;
}

static void carry_both(struct sp_region *g, struct model *m, int to, struct sp_block fb, int step)
{
    struct sp_block tb = fb;
    struct model before = m[fb.buf];
    bool all = true;
    tb.buf = to;
    tb.plane = (signed char)roll(PLANES - fb.planes + 1);
    tb.row = roll(ROWS - fb.rows + 1);
    tb.head = (short)roll(HEADS - fb.heads + 1);
    for (long i = 0; i < sp_block_area(fb); i++) {
        struct cell from = *cell(&before, cell_of(fb, i));
        all &= from.written;
        if (!from.written)
            continue;
        from.writer = step;
        memset(from.reader, 0, sizeof from.reader);
        *cell(&m[to], cell_of(tb, i)) = from;
    }
    assert_int_equal(sp_region_carry(&g[to], tb, &g[fb.buf], fb, step), all);
}

/* Boxes are disjoint, cover just what was written, and say of each cell what it knows. */
static void compare(const struct sp_region *g, struct model *m)
{
    int covered = 0, written = 0;
    for (int i = 0; i < CELLS; i++)
        written += m->cell[i].written;
    for (int i = 0; i < g->nboxes; i++) {
        const struct sp_box *x = &g->box[i];
        unsigned long reader[WORDS] = { 0 };
        for (int j = 0; j < x->nreaders; j++)
            reader[x->reader[j] / 64] |= 1ul << x->reader[j] % 64;
        for (int j = 0; j < i; j++)
            assert_false(sp_block_overlaps(x->b, g->box[j].b));
        for (long n = 0; n < sp_block_area(x->b); n++) {
            struct cell *k = cell(m, cell_of(x->b, n));
            struct sp_content is = sp_box_part(x, cell_of(x->b, n));
            assert_true(k->written && k->writer == x->writer && k->value == is.value);
            assert_true(k->list == is.list && k->place == is.skip && k->head == is.head);
            assert_memory_equal(k->reader, reader, sizeof reader);
            covered++;
        }
        assert_true(sp_block_area(x->b) > 0);
    }
    assert_int_equal(covered, written);
}

static void test_against_cells(void **state)
{
    static struct model m[BUFS];
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct sp_region g[BUFS] = { { NULL, 0 } };
        memset(m, 0, sizeof m);
        for (int step = 0; step < STEPS; step++) {
            int buf = roll(BUFS), what = roll(10);
            struct sp_block b = random_block(buf);
            if (what < 4)
                write_both(&g[buf], &m[buf], b, step);
            else if (what < 7)
                read_both(&g[buf], &m[buf], b, step);
            else
                carry_both(g, m, roll(BUFS), b, step);
            if (step % 7 == 0)
                for (int i = 0; i < BUFS; i++)
                    compare(&g[i], &m[i]);
        }
        for (int i = 0; i < BUFS; i++)
            sp_region_free(&g[i]);
    }
}

/* The same block again and again stays one box, so that plans stay small. */
static void test_stays_one_box(void **state)
{
    struct sp_region g = { NULL, 0 };
    struct sp_block b = { .rows = ROWS, .heads = HEADS, .planes = 2 };
    (void)state;
    for (int step = 0; step < 100; step++) {
        sp_region_write(&g, b, (struct sp_content){ step, 0, 0, 0 }, step);
        sp_region_cut(&g, b);
        sp_box_read(&g.box[0], step);
        assert_int_equal(g.nboxes, 1);
        assert_int_equal(g.box[0].nreaders, 1);
        assert_int_equal(g.box[0].is.list, step);
    }
    sp_region_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_cells),
        cmocka_unit_test(test_stays_one_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
