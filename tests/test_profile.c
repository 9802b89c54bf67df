/* test_profile.c - profiles there and back, broken in every member, and those that come with
 * seqpar: each says how well it predicts the rows that it was fitted to, and does. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/calibrate_from.h"
#include "cli/published.h"
#include "sim/profile.h"
#include "util/json.h"
#include "util/stats.h"
#include "util/table.h"

static const char good[] =
    "{\"seqpar_profile\": 1, \"name\": \"n\", \"device\": \"d\", \"library\": \"l\","
    " \"source\": \"s\", \"measured\": true, \"slots\": 4, \"ctas\": 1, \"memory\": 8e9,"
    " \"poll\": 1e-6, \"device_source\": \"ds\","
    " \"kernels\": [{\"op\": \"attn\", \"dtype\": \"bf16\", \"dim\": 64, \"tile_rows\": 16,"
    "   \"tile_keys\": 32, \"launch\": 1e-6, \"prologue\": 2e-6, \"tile\": 3e-6, \"row\": 4e-9,"
    "   \"host\": 5e-6, \"masked\": 1.25, \"alone\": 0.75, \"tail\": 0.5, \"split\": 0.625,"
    "   \"correction\": [[1e6, 1.5], [1e9, 1.25]], \"residual\": 0.02, \"samples\": 17,"
    "   \"rows\": [1, 2], \"keys\": [3, 4], \"source\": \"ks\"},"
    "  {\"op\": \"grad\", \"dtype\": \"fp32\", \"dim\": 64, \"tile_rows\": 16,"
    "   \"tile_keys\": 32, \"launch\": 0, \"prologue\": 0, \"tile\": 1, \"rows\": [0, 0],"
    "   \"keys\": [0, 1], \"source\": \"\"}],"
    " \"streams\": {\"merge\": {\"launch\": 1e-6, \"rate\": 1e9, \"source\": \"ms\"}},"
    " \"paths\": {\"net\": {\"latency\": 1e-5, \"each\": 1e-6, \"rate\": 2e10,"
    "   \"efficiency\": [[1e3, 0.25], [1e6, 1]], \"concurrent\": 3, \"residual\": 0.01,"
    "   \"source\": \"ps\"}},"
    " \"links\": {\"nvlink\": 0.5, \"source\": \"ls\"},"
    " \"interference\": {\"compute\": 0.25, \"comm\": 0.125, \"source\": \"is\"}}";

static char file[64];

static struct sp_profile *load_text(const char *text, const char **why)
{
    strcpy(file, "test_profile.XXXXXX");
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    *why = NULL;
    struct sp_profile *p = sp_profile_load(file, why);
    unlink(file);
    return p;
}

static void assert_is_good(const struct sp_profile *p)
{
    assert_int_equal(p->version, SP_PROFILE_VERSION);
    assert_string_equal(p->device, "d");
    assert_string_equal(p->device_source, "ds");
    assert_true(p->measured && p->slots == 4 && p->ctas == 1 && p->memory == 8e9);
    assert_true(p->poll == 1e-6 && p->nkernels == 2);
    const struct sp_kernel_fit *k = &p->kernel[0];
    assert_true(k->op == SP_ATTN && k->dtype == SP_BF16 && k->dim == 64 && k->tile_rows == 16);
    assert_true(k->launch == 1e-6 && k->prologue == 2e-6 && k->tile == 3e-6 && k->row == 4e-9);
    assert_true(k->host == 5e-6 && k->masked == 1.25 && k->alone == 0.75 && k->tail == 0.5);
    assert_true(k->split == 0.625 && k->correction.n == 2 && k->correction.y[1] == 1.25);
    assert_true(k->residual == 0.02 && k->samples == 17 && k->low_rows == 1);
    assert_true(k->high_rows == 2 && k->low_keys == 3 && k->high_keys == 4);
    assert_string_equal(k->source, "ks");
    k = &p->kernel[1];
    assert_true(k->op == SP_GRAD && k->dtype == SP_F32 && k->masked == 1 && k->alone == 1);
    assert_true(k->tail == 0 && k->split == 0 && k->correction.n == 0);
    assert_true(p->stream[SP_MERGE].known && p->stream[SP_MERGE].rate == 1e9);
    assert_false(p->stream[SP_COPY].known);
    const struct sp_path_fit *f = &p->path[SP_PATH_NET];
    assert_true(f->known && f->latency == 1e-5 && f->each == 1e-6 && f->rate == 2e10);
    assert_true(f->efficiency.n == 2 && f->efficiency.x[0] == 1e3 && f->concurrent == 3);
    assert_string_equal(f->source, "ps");
    assert_false(p->path[SP_PATH_NVLINK].known);
    assert_true(p->link[SP_LINK_NVLINK] == 0.5 && p->link[SP_LINK_NET] == 1);
    assert_true(p->interference.compute == 0.25 && p->interference.comm == 0.125);
}

static void test_round_trip(void **state)
{
    (void)state;
    const char *why;
    struct sp_profile *p = load_text(good, &why);
    assert_non_null(p);
    assert_is_good(p);
    for (int i = 0; i < 2; i++) {
        assert_null(sp_profile_save(p, file));
        sp_profile_free(p);
        p = sp_profile_load(file, &why);
        assert_non_null(p);
        assert_is_good(p);
        unlink(file);
    }
    assert_non_null(strstr(sp_profile_save(p, "/does/not/exist"), "cannot write /does"));
    sp_profile_free(p);
}

/* ---- broken ------------------------------------------------------------------------ */

/* The value at "kernels/0/tile". */
static json_t *at(json_t *root, const char *path, char last[32])
{
    char copy[96], *rest = strcpy(copy, path), *word;
    json_t *in = root;
    while ((word = strsep(&rest, "/")) && rest)
        in = json_is_array(in) ? json_array_get(in, (size_t)atoi(word))
                               : json_object_get(in, word);
    strcpy(last, word);
    return in;
}

/* What is said of `good` with one member replaced; "": taken away. */
static const char *broken(const char *path, const char *value)
{
    json_t *root = json_loads(good, 0, NULL);
    char last[32];
    json_t *in = at(root, path, last);
    assert_non_null(in);
    if (*value)
        json_object_set_new(in, last, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(in, last);
    char *text = json_dumps(root, 0);
    const char *why;
    struct sp_profile *p = load_text(text, &why);
    free(text);
    json_decref(root);
    if (p)
        fail_msg("%s = %s was taken", path, value);
    assert_memory_equal(why, file, strlen(file));
    return why + strlen(file) + 2;
}

static void test_refusals(void **state)
{
    static const struct { const char *path, *value, *why; } bad[] = {   /* how it begins */
        { "seqpar_profile", "", "seqpar_profile is not there: not a profile" },
        { "seqpar_profile", "2", "seqpar_profile 2 must be from 1 to 1" },
        { "seqpar_profile", "\"1\"", "seqpar_profile is not a number" },
        { "name", "", "name is not there" },
        { "device", "7", "device is not a text" },
        { "library", "null", "library is not there" },
        { "source", "[]", "source is not a text" },
        { "measured", "1", "measured is neither true nor false" },
        { "slots", "0", "slots 0 must be from 1 to" },
        { "slots", "1e12", "slots 1e+12 must be from 1 to" },
        { "slots", "2.5", "slots 2.5 must be a whole number" },
        { "ctas", "4", "ctas 4 must be from 0 to 3" },
        { "memory", "-1", "memory -1 must be from 0" },
        { "poll", "1e300", "poll 1e+300 must be from 0 to 1000" },
        { "speling", "1", "speling is not known" },
        { "kernels", "{}", "kernels is not a list" },
        { "kernels", "[3]", "kernels[0] is not an object" },
        { "kernels/0/op", "\"send\"", "kernels[0].op \"send\" is not known" },
        { "kernels/0/dtype", "\"fp8\"", "kernels[0].dtype \"fp8\" is not known" },
        { "kernels/1/dim", "-64", "kernels[1].dim -64 must be from 1" },
        { "kernels/0/dim", "1e99", "kernels[0].dim 1e+99 must be from 1" },
        { "kernels/0/tile_rows", "0", "kernels[0].tile_rows 0 must be from 1" },
        { "kernels/0/tile_keys", "", "kernels[0].tile_keys is not there" },
        { "kernels/0/launch", "-1e-6", "kernels[0].launch -1e-06 must be from 0 to 1000" },
        { "kernels/0/prologue", "\"x\"", "kernels[0].prologue is not a number" },
        { "kernels/0/tile", "0", "kernels[0].tile 0 must be from 1e-15 to 1000" },
        { "kernels/0/row", "-1", "kernels[0].row -1 must be from 0" },
        { "kernels/0/host", "-1", "kernels[0].host -1 must be from 0" },
        { "kernels/0/masked", "-1", "kernels[0].masked -1 must be from 0" },
        { "kernels/0/alone", "0.4", "kernels[0].alone 0.4 must be from 0.5 to 1" },
        { "kernels/0/tail", "2", "kernels[0].tail 2 must be from 0 to 1" },
        { "kernels/0/split", "2", "kernels[0].split 2 must be from 0 to 1" },
        { "kernels/0/correction", "7", "kernels[0].correction is not a list" },
        { "kernels/0/correction", "[1, 2]", "kernels[0].correction[0] is not [x, y]" },
        { "kernels/0/correction", "[[1, 2, 3]]", "kernels[0].correction[0] is not [x, y]" },
        { "kernels/0/correction", "[[1, -1]]", "kernels[0].correction[0] [1, -1] must be" },
        { "kernels/0/correction", "[[2, 1], [2, 1]]",
          "kernels[0].correction[1] 2 must be above 2, the point before it" },
        { "kernels/0/residual", "-1", "kernels[0].residual -1 must be from 0" },
        { "kernels/0/samples", "1.5", "kernels[0].samples 1.5 must be a whole number" },
        { "kernels/0/rows", "[2, 1]", "kernels[0].rows is not [lowest, highest]" },
        { "kernels/0/keys", "[1]", "kernels[0].keys is not [lowest, highest]" },
        { "kernels/0/source", "", "kernels[0].source is not there" },
        { "kernels/0/lunch", "1", "kernels[0].lunch is not known" },
        { "streams", "[]", "streams is not an object" },
        { "streams/attn", "{}", "streams.attn is not known" },
        { "streams/merge", "1", "streams.merge is not an object" },
        { "streams/merge/rate", "0", "streams.merge.rate 0 must be from 1" },
        { "streams/merge/launch", "", "streams.merge.launch is not there" },
        { "streams/merge/source", "", "streams.merge.source is not there" },
        { "paths/air", "{}", "paths.air is not known" },
        { "paths/net/latency", "-1", "paths.net.latency -1 must be from 0" },
        { "paths/net/each", "1e9", "paths.net.each 1e+09 must be from 0" },
        { "paths/net/rate", "1e30", "paths.net.rate 1e+30 must be from 0" },
        { "paths/net/efficiency", "[[1, 0]]", "paths.net.efficiency[0] [1, 0] must be" },
        { "paths/net/concurrent", "-1", "paths.net.concurrent -1 must be from 0" },
        { "paths/net/residual", "{}", "paths.net.residual is not a number" },
        { "paths/net/source", "3", "paths.net.source is not a text" },
        { "links/nvlink", "1.5", "links.nvlink 1.5 must be from 1e-06 to 1" },
        { "links/nvlink", "0", "links.nvlink 0 must be from 1e-06 to 1" },
        { "links/wire", "1", "links.wire is not known" },
        { "interference/compute", "-0.1", "interference.compute -0.1 must be from 0" },
        { "interference/comm", "true", "interference.comm is not a number" },
        { "interference/x", "1", "interference.x is not known" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = broken(bad[i].path, bad[i].value);
        if (strncmp(why, bad[i].why, strlen(bad[i].why)))
            fail_msg("%s = %s: \"%s\"", bad[i].path, bad[i].value, why);
    }
    const char *why;
    static const char *const text[] = { "", "[1]", "{\"seqpar_profile\": NaN}",
                                        "{\"seqpar_profile\": 1e999}", "{\"a\": {\"b\": [[" };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        assert_null(load_text(text[i], &why));
}

static void test_hostile(void **state)
{
    (void)state;
    json_t *root = json_loads(good, 0, NULL), *list = json_array(), *kernels;
    const char *why;
    for (int i = 0; i < 200000; i++)
        json_array_append_new(list, json_pack("[i,i]", i + 1, 1));
    kernels = json_object_get(root, "kernels");
    json_object_set_new(json_array_get(kernels, 0), "correction", list);
    char *text = json_dumps(root, 0);
    assert_null(load_text(text, &why));
    assert_non_null(strstr(why, "kernels[0].correction is not a list of at most 1000 points"));
    free(text);
    json_object_del(json_array_get(kernels, 0), "correction");
    json_array_append(kernels, json_array_get(kernels, 0));
    text = json_dumps(root, 0);
    assert_null(load_text(text, &why));
    assert_non_null(strstr(why, "kernels[2] is of the op, dtype and dim that kernels[0] is of"));
    free(text);
    json_decref(root);
}

/* ---- those that come with seqpar --------------------------------------------------- */

static const char *folder(void)
{
    static char path[512];
    const char *data = getenv("SEQPAR_DATA");
    snprintf(path, sizeof path, "%s/profiles", data ? data : "topologies");
    return path;
}

/* What a recipe's kernel is fitted to. */
static int samples_of(const json_t *kernel, const char *recipe, const struct sp_kernel_fit *k,
                      struct sp_sample **s)
{
    int n = 0;
    size_t i;
    json_t *fit;
    json_array_foreach(json_object_get(kernel, "fit"), i, fit) {
        char path[1024];
        const char *last = strrchr(recipe, '/');
        snprintf(path, sizeof path, "%.*s%s", (int)(last - recipe) + 1, recipe,
                 json_string_value(json_object_get(fit, "csv")));
        struct sp_published from = {
            .path = path,
            .hardware = json_string_value(json_object_get(fit, "hardware")),
            .kernel = json_string_value(json_object_get(fit, "kernel")),
            .less_forward = json_is_true(json_object_get(fit, "less_forward")),
        };
        const char *why = sp_published_kernels(&from, k, s, &n);
        if (why)
            fail_msg("%s", why);
    }
    return n;
}

static void check_kernels(const struct sp_profile *p, const json_t *root, const char *recipe)
{
    for (int i = 0; i < p->nkernels; i++) {
        const struct sp_kernel_fit *k = &p->kernel[i];
        assert_true(*k->source && k->tile > 0 && k->samples > 0);
        json_t *in = json_array_get(json_object_get(root, "kernels"), (size_t)i);
        if (!json_object_get(in, "fit"))
            continue;
        struct sp_sample *s = NULL;
        int n = samples_of(in, recipe, k, &s), count;
        double *error = sp_fit_errors(k, p->slots, s, n, &count);
        if (count != k->samples || fabs(sp_median(error, count) - k->residual) > 1e-4)
            fail_msg("%s, kernel %d: %d samples, off by %g; the profile says %ld, %g", p->name,
                     i, count, sp_median(error, count), k->samples, k->residual);
        assert_true(k->residual < 0.06);
        free(error);
        free(s);
    }
}

static void test_built_in(void **state)
{
    (void)state;
    if (!sp_table_built())
        skip();
    DIR *all = opendir(folder());
    assert_non_null(all);
    int n = 0;
    for (struct dirent *e; (e = readdir(all));) {
        if (!strstr(e->d_name, ".json"))
            continue;
        char path[1024], recipe[1024];
        const char *why;
        snprintf(path, sizeof path, "%s/%s", folder(), e->d_name);
        snprintf(recipe, sizeof recipe, "%s/recipes/%s", folder(), e->d_name);
        struct sp_profile *p = sp_profile_load(path, &why);
        if (!p)
            fail_msg("%s", why);
        assert_int_equal(strncmp(p->name, e->d_name, strlen(e->d_name) - strlen(".json")), 0);
        if (!p->measured) {
            json_t *root = sp_json_load(recipe, &why);
            if (!root)
                fail_msg("%s", why);
            check_kernels(p, root, recipe);
            json_decref(root);
        }
        sp_profile_free(p);
        n++;
    }
    closedir(all);
    assert_true(n >= 15);
}

/* What lies in topologies/profiles is what its recipe makes. */
static void test_recipe(void **state)
{
    (void)state;
    if (!sp_table_built())
        skip();
    char recipe[1024], path[1024];
    const char *why;
    snprintf(recipe, sizeof recipe, "%s/recipes/b200-fa4.json", folder());
    snprintf(path, sizeof path, "%s/b200-fa4.json", folder());
    strcpy(file, "test_recipe.XXXXXX");
    close(mkstemp(file));
    assert_int_equal(sp_calibrate_from(recipe, file), 0);
    struct sp_profile *made = sp_profile_load(file, &why), *lies = sp_profile_load(path, &why);
    assert_true(made && lies);
    assert_int_equal(made->nkernels, lies->nkernels);
    for (long rows = 256; rows <= 65536; rows *= 2) {
        struct sp_work w = sp_square_work(SP_ATTN, SP_BF16, 128, 16, 1, rows, rows, true);
        double a = sp_work_seconds(made, &w, NULL), b = sp_work_seconds(lies, &w, NULL);
        assert_true(fabs(a - b) < 0.01 * b);
    }
    sp_profile_free(made);
    sp_profile_free(lies);
    unlink(file);
    assert_int_equal(sp_calibrate_from(path, file), 3);             /* not a recipe */
    assert_int_equal(sp_calibrate_from("/does/not/exist", file), 3);
    assert_int_equal(access(file, F_OK), -1);
}

/* A recipe that fits one kernel to a table, with parts of it replaced. */
static void assert_recipe_refused(const char *fit, const char *table)
{
    static const char head[] =
        "{\"seqpar_recipe\": 1, \"name\": \"n\", \"device\": \"d\", \"library\": \"l\","
        " \"source\": \"s\", \"slots\": 4, \"kernels\": [{\"op\": \"attn\","
        " \"dtype\": \"bf16\", \"dim\": 64, \"tile_rows\": 16, \"tile_keys\": 32,"
        " \"source\": \"\", \"fit\": ";
    FILE *out = fopen("test_recipe.csv", "w");
    fprintf(out, "hardware,kernel,pass,batch,seq_q,seq_kv,heads_q,head_dim,causal,dtype,value,"
                 "unit,notes\n%s", table);
    fclose(out);
    out = fopen("test_recipe.json", "w");
    fprintf(out, "%s%s}]}", head, fit);
    fclose(out);
    if (sp_calibrate_from("test_recipe.json", "test_recipe.out") != 3)
        fail_msg("%s, %s was taken", fit, table);
    unlink("test_recipe.csv");
    unlink("test_recipe.json");
    assert_int_equal(access("test_recipe.out", F_OK), -1);
}

static void test_recipes_refused(void **state)
{
    (void)state;
    static const char fit[] = "[{\"csv\": \"test_recipe.csv\"}]";
    static const char *const fits[] = {
        "7", "{}", "[]", "[7]", "[{\"csv\": 3}]", "[{\"csv\": \"none.csv\"}]",
        "[{\"csv\": \"test_recipe.csv\", \"hardware\": 1}]",
    };
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
        assert_recipe_refused(fits[i], "h,k,fwd,1,1,1,1,64,0,bf16,1,us,\n");
    static const char *const tables[] = {
        "", "h,k,fwd,1,64,64,1,64,0,bf16,1,us,\n",                     /* too few */
        "h,k,fwd,1,64,64,1,64,0,bf16,1,lightyears,\n",
        "h,k,fwd,0,64,64,1,64,0,bf16,1,us,\n",
        "h,k,fwd,1,1e30,64,1,64,0,bf16,1,us,\n",
        "h,k,fwd,1,128,64,1,64,1,bf16,1,us,\n",
        "h,k,fwd,1,64,64,1,64,0,bf16,nan,us,\n",
        "h,k,fwd,1,64,64,1,64,0,bf16,-1,us,\n",
        "h,k,fwd,1\n",
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        assert_recipe_refused(fit, tables[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_recipe),
        cmocka_unit_test(test_recipes_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
