/* test_verify.c - verification passes what is right, with room to spare, and fails every set of
 * kernels that is wrong on purpose; and what is dumped can be read. */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broken.h"
#include "executor/chaos.h"
#include "measure/dump.h"
#include "measure/inputs.h"
#include "measure/pieces.h"
#include "measure/verify.h"
#include "strategy/strategy.h"
#include "util/json.h"
#include "util/memory.h"

enum { SEED = 7 };
enum { F32_FULL = 1, F32_CAUSAL = 2, BF16_FULL = 4, BF16_CAUSAL = 8, ANY = 15,
       FEW = 16 /* only flaws that are hard to notice: masks and tiles */ };

static const double ROOM = 0.9;         /* the most of a tolerance that sound kernels may use */

struct point { const char *strategy; int ranks; long seq; int batch, heads, kv_heads, dim, modes; };

static const struct point points[] = {
    { "local",     1, 256,  2, 4, 2, 64,  ANY },
    { "local",     1, 77,   1, 4, 1, 96,  F32_CAUSAL | BF16_CAUSAL },
    { "ring",      4, 256,  2, 4, 2, 64,  F32_CAUSAL | BF16_FULL },
    { "ulysses",   2, 256,  1, 4, 1, 64,  F32_FULL | BF16_CAUSAL },
    { "hybrid",    4, 256,  1, 4, 2, 64,  F32_CAUSAL | BF16_CAUSAL },
    { "allgather", 4, 256,  1, 4, 4, 64,  F32_CAUSAL | BF16_FULL },
    { "local",     1, 1024, 1, 4, 2, 128, F32_CAUSAL | BF16_FULL },
    { "ring",      3, 1536, 1, 2, 1, 64,  BF16_CAUSAL },
    { "local",     1, 8192, 1, 2, 1, 64,  BF16_FULL | BF16_CAUSAL | FEW },
    { .strategy = NULL }
};

static const struct sp_kernels *kernels(void)
{
    const char *why;
    const struct sp_kernels *k = sp_kernels_find("cpu", &why);
    assert_non_null(k);
    return k;
}

/* ---- a run ------------------------------------------------------------------------------ */

struct run { struct sp_plan *p; struct sp_executor *x; };

static struct sp_plan *plan_of(const struct point *at, enum sp_dtype dtype, bool causal)
{
    const struct sp_strategy *s = sp_strategy_find(at->strategy);
    struct sp_problem pb = {
        .seq = at->seq, .batch = at->batch, .heads = at->heads, .kv_heads = at->kv_heads,
        .dim = at->dim, .dtype = dtype, .causal = causal, .backward = true, .ranks = at->ranks,
    };
    sp_strategy_reset(s, &pb);
    assert_null(sp_strategy_settle(s, &pb));
    return sp_strategy_plan(s, &pb);
}

static struct run run_new(struct sp_plan *p, const struct sp_kernels *k)
{
    struct run r = { p, sp_chaos_new(p, k, SEED, true) };
    struct sp_loop *l = sp_loop_new(p, SP_ALL_RANKS);
    sp_inputs_fill(p, SP_ALL_RANKS, SEED, sp_chaos_data(r.x));
    assert_null(sp_loop_run(l, SP_FORWARD, r.x, NULL));
    assert_null(sp_loop_run(l, SP_BACKWARD, r.x, NULL));
    sp_loop_free(l);
    return r;
}

static void run_free(struct run *r)
{
    r->x->free(r->x);
    sp_plan_free(r->p);
}

static struct sp_verdict verdict_of(const struct point *at, enum sp_dtype dtype, bool causal,
                                    enum flaw flaw)
{
    struct run r = run_new(plan_of(at, dtype, causal),
                           broken(flaw, kernels(), (unsigned long)at->seq));
    struct sp_verdict v = sp_verify_all(r.p, sp_chaos_data(r.x), SEED);
    run_free(&r);
    return v;
}

/* ---- sound and broken -------------------------------------------------------------------- */

/* Returns how close it came to pass, in tolerances; 0 if there was nothing to spoil. */
static double check_flaw(const struct point *at, enum sp_dtype dtype, bool causal, enum flaw flaw)
{
    const bool mask = flaw == SEES_MORE || flaw == SEES_LESS;
    if ((mask && !causal) || (at->modes & FEW && !mask && flaw != TILE_ATTN && flaw != TILE_GRAD))
        return 0;
    const struct sp_verdict v = verdict_of(at, dtype, causal, flaw);
    if (!broken_count())
        return 0;
    if (v.passed)
        print_error("%s, %d ranks, seq %ld, %s: not noticed: %s\n", at->strategy, at->ranks,
                    at->seq, sp_dtype_names[dtype], flaw_names[flaw]);
    assert_false(v.passed);
    assert_true(v.why[0]);
    return v.worst;
}

static void check_point(const struct point *at, enum sp_dtype dtype, bool causal)
{
    const struct sp_verdict v = verdict_of(at, dtype, causal, SOUND);
    double least = INFINITY;
    enum flaw whose = SOUND;
    if (!v.passed || v.worst > ROOM)
        print_error("%s: %.2f of a tolerance: %s\n", at->strategy, v.worst, v.why);
    assert_true(v.passed);
    assert_true(v.worst <= ROOM);
    for (enum flaw flaw = SOUND + 1; flaw < NFLAWS; flaw++) {
        const double ratio = check_flaw(at, dtype, causal, flaw);
        if (ratio > 0 && ratio < least) {
            least = ratio;
            whose = flaw;
        }
    }
    print_message("%-9s P %d  S %-4ld  D %-3d  %s  %-6s  sound %.2f  broken at least %.3g (%s)  "
                  "%s\n", at->strategy, at->ranks, at->seq, at->dim, sp_dtype_names[dtype],
                  causal ? "causal" : "full", v.worst, least, flaw_names[whose], v.rows);
}

/* For builds that are ten times slower, such as those with sanitizers. */
static long longest(void)
{
    const char *said = getenv("SEQPAR_TEST_LONGEST");
    return said ? atol(said) : LONG_MAX;
}

static void right_and_wrong(void **state)
{
    (void)state;
    for (const struct point *at = points; at->strategy; at++)
        for (int mode = 0; mode < 4; mode++)
            if ((at->modes >> mode & 1) && at->seq <= longest())
                check_point(at, mode & 2 ? SP_BF16 : SP_F32, mode & 1);
}

/* ---- single numbers --------------------------------------------------------------------- */

/* Spoil one element of one row, looked at or not; the verdict names the place. */
static void check_spoiled(enum sp_kind kind, double value, const char *what)
{
    const struct point at = { "local", 1, 6000, 1, 2, 1, 64, 0 };
    struct run r = run_new(plan_of(&at, SP_BF16, true), kernels());
    int n, i = 0;
    struct sp_piece *piece = sp_pieces_new(r.p, SP_ALL_RANKS, SP_OUTPUT, sp_chaos_data(r.x), &n);
    while (piece[i].kind != kind)
        i++;
    sp_view_set(&piece[i].view, sp_piece_at(&piece[i], 4321, 0, 0), value);
    const struct sp_verdict v = sp_verify_all(r.p, sp_chaos_data(r.x), SEED);
    assert_false(v.passed);
    assert_string_not_equal(v.rows, "whole");
    assert_int_equal(v.worst_kind, kind);
    assert_non_null(strstr(v.why, what));
    sp_pieces_free(piece, n);
    run_free(&r);
}

static void no_number(void **state)
{
    (void)state;
    check_spoiled(SP_O, NAN, "o of head 0 at position 4321, batch 0");
    check_spoiled(SP_LSE, INFINITY, "lse of head 0 at position 4321, batch 0");
    check_spoiled(SP_DK, NAN, "dk of KV head 0 at position 4321, batch 0");
    check_spoiled(SP_DV, 10, "dv of KV head 0");
}

/* Wherever a row is held, it is the row of that place. */
static void inputs_of_any_layout(void **state)
{
    (void)state;
    const struct point at = { "ring", 4, 64, 2, 4, 2, 64, 0 };
    struct run r = run_new(plan_of(&at, SP_F32, true), kernels());
    float want[64], have[64];
    int n;
    struct sp_piece *piece = sp_pieces_new(r.p, SP_ALL_RANKS, SP_INPUT, sp_chaos_data(r.x), &n);
    assert_int_equal(n, 4 * 4);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < piece[j].view.rows; i++) {
            sp_input_row(&r.p->pb, SEED, piece[j].kind, 1, 1, piece[j].place[i], want);
            sp_piece_row(&piece[j], i, 1, 1, have);
            assert_memory_equal(have, want, sizeof want);
        }
    sp_pieces_free(piece, n);
    run_free(&r);
}

/* ---- the dump ------------------------------------------------------------------------------ */

static void check_file(const struct sp_plan *p, const struct sp_piece *x, const char *dir)
{
    char path[200], head[128], shape[80];
    float want[256], have[256];
    const bool keys = x->kind == SP_K || x->kind == SP_V || x->kind == SP_DK || x->kind == SP_DV;
    const int heads = keys ? p->pb.kv_heads : p->pb.heads, dim = p->pb.dim;
    snprintf(path, sizeof path, "%s/%s.npy", dir, sp_kind_names[x->kind]);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    assert_memory_equal(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    assert_int_equal(head[127], '\n');
    head[127] = 0;
    snprintf(shape, sizeof shape, "'shape': (%d, %ld, %d, %d), }", p->pb.batch, p->pb.seq, heads,
             dim);
    assert_non_null(strstr(head + 10, shape));
    for (int b = 0; b < p->pb.batch; b++)
        for (int i = 0; i < x->view.rows; i++) {
            const long row = ((long)b * p->pb.seq + x->place[i]) * heads + 1;
            assert_int_equal(fseek(file, 128 + row * dim * 4, SEEK_SET), 0);
            assert_int_equal(fread(have, sizeof *have, (size_t)dim, file), dim);
            sp_piece_row(x, i, b, 1, want);
            assert_memory_equal(have, want, (size_t)dim * sizeof *want);
        }
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftell(file), 128 + p->pb.seq * p->pb.batch * heads * dim * 4);
    fclose(file);
    remove(path);
}

static void check_problem(const char *dir)
{
    char path[200];
    const char *why = NULL;
    snprintf(path, sizeof path, "%s/problem.json", dir);
    json_t *o = sp_json_load(path, &why);
    assert_non_null(o);
    assert_int_equal(json_integer_value(json_object_get(o, "seq")), 64);
    assert_int_equal(json_integer_value(json_object_get(o, "kv_heads")), 2);
    assert_int_equal(json_integer_value(json_object_get(o, "ranks")), 4);
    assert_true(json_is_true(json_object_get(o, "causal")));
    assert_string_equal(json_string_value(json_object_get(o, "dtype")), "bf16");
    assert_string_equal(json_string_value(json_object_get(o, "strategy")), "ring");
    assert_true(json_real_value(json_object_get(o, "scale")) == 0.125);
    json_decref(o);
    remove(path);
}

static void dump_can_be_read(void **state)
{
    (void)state;
    const struct point at = { "ring", 4, 64, 2, 4, 2, 64, 0 };
    struct run r = run_new(plan_of(&at, SP_BF16, true), kernels());
    char dir[] = "/tmp/seqpar-dump-XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_null(sp_dump(NULL, r.p, "ring", sp_chaos_data(r.x), dir));
    enum sp_role roles[] = { SP_INPUT, SP_OUTPUT };
    for (int i = 0; i < 2; i++) {
        int n;
        struct sp_piece *piece = sp_pieces_new(r.p, 2, roles[i], sp_chaos_data(r.x), &n);
        for (int j = 0; j < n; j++)
            if (piece[j].kind != SP_LSE)
                check_file(r.p, &piece[j], dir);
        sp_pieces_free(piece, n);
    }
    check_problem(dir);
    assert_int_equal(rmdir(dir), 0);        /* nothing else was in it */
    const char *why = sp_dump(NULL, r.p, "ring", sp_chaos_data(r.x), "/nowhere/at/all");
    assert_non_null(why);
    assert_non_null(strstr(why, "cannot make directory /nowhere/at/all: "));
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_of_any_layout),
        cmocka_unit_test(dump_can_be_read),
        cmocka_unit_test(no_number),
        cmocka_unit_test(right_and_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
