/* test_model.c - config.json files as they are met, and as they are broken. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/model.h"

/* The verdict on a file with that text. Its name is left out of the sentence. */
static const char *read_text(const char *text, struct sp_model *model)
{
    char path[] = "test_model.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    const char *why = sp_model_read(path, model);
    unlink(path);
    if (!why)
        return NULL;
    assert_memory_equal(why, path, strlen(path));
    return why + strlen(path);
}

static void test_shapes(void **state)
{
    static const struct { const char *text; struct sp_model model; } good[] = {
        { "{\"num_attention_heads\": 32, \"num_key_value_heads\": 8,"
          " \"hidden_size\": 4096}", { 32, 8, 128 } },
        { "{\"num_attention_heads\": 12, \"hidden_size\": 768}", { 12, 12, 64 } },
        { "{\"num_attention_heads\": 12, \"num_key_value_heads\": null,"
          " \"head_dim\": null, \"hidden_size\": 768}", { 12, 12, 64 } },
        { "{\"num_attention_heads\": 16, \"num_key_value_heads\": 8,"
          " \"hidden_size\": 3072, \"head_dim\": 256}", { 16, 8, 256 } },
        { "{\"num_attention_heads\": 5, \"head_dim\": 64}", { 5, 5, 64 } },
        { "{\"hidden_size\": 1, \"text_config\": {\"num_attention_heads\": 40,"
          " \"num_key_value_heads\": 8, \"hidden_size\": 5120}}", { 40, 8, 128 } },
        { "{\"language_config\": {\"num_attention_heads\": 4, \"head_dim\": 8}}",
          { 4, 4, 8 } },
        { "{\"text_config\": null, \"llm_config\": {\"num_attention_heads\": 4,"
          " \"head_dim\": 8}}", { 4, 4, 8 } },
        { "{\"num_attention_heads\": 4, \"head_dim\": 8, \"kv_lora_rank\": null}",
          { 4, 4, 8 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct sp_model model;
        assert_null(read_text(good[i].text, &model));
        assert_int_equal(model.heads, good[i].model.heads);
        assert_int_equal(model.kv_heads, good[i].model.kv_heads);
        assert_int_equal(model.head_dim, good[i].model.head_dim);
    }
}

static void test_refusals(void **state)
{
    static const struct { const char *text, *why; } bad[] = {      /* how it begins */
        { "{\n  \"num_attention_heads\": 32,\n  \"num_key_val",
          ":3: not JSON: " },
        { "{}", ": no num_attention_heads in it, nor in its text_config, language_config "
                "or llm_config" },
        { "{\"num_attention_heads\": 32, \"num_key_value_heads\": 5, \"head_dim\": 128}",
          ": num_key_value_heads 5 must divide num_attention_heads 32" },
        { "{\"num_attention_heads\": 128, \"kv_lora_rank\": 512, \"hidden_size\": 7168}",
          ": not supported: multi-head latent attention (kv_lora_rank)" },
        { "{\"num_attention_heads\": 71, \"multi_query\": true, \"hidden_size\": 4544}",
          ": multi_query is true, but no num_key_value_heads says how many" },
        { "{\"num_attention_heads\": 0, \"head_dim\": 64}",
          ": num_attention_heads 0 must be from 1 to 65536" },
        { "{\"num_attention_heads\": -4, \"head_dim\": 64}",
          ": num_attention_heads -4 must be from 1 to 65536" },
        { "{\"num_attention_heads\": \"32\", \"head_dim\": 64}",
          ": num_attention_heads is not a whole number" },
        { "{\"num_attention_heads\": 4, \"head_dim\": 99999}",
          ": head_dim 99999 must be from 1 to 16384" },
        { "{\"num_attention_heads\": 4}", ": neither head_dim nor hidden_size is there" },
        { "{\"num_attention_heads\": 3, \"hidden_size\": 64}",
          ": num_attention_heads 3 must divide hidden_size 64, or head_dim be given" },
        { "{\"num_attention_heads\": 1, \"hidden_size\": 1000000}",
          ": hidden_size 1000000 makes heads of 1000000, more than 16384" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sp_model model;
        const char *why = read_text(bad[i].text, &model);
        assert_non_null(why);
        assert_memory_equal(why, bad[i].why, strlen(bad[i].why));
    }
}

/* A file cut anywhere is refused, or says the same as the whole. */
static void test_cuts(void **state)
{
    static const char whole[] =
        "{\"num_attention_heads\": 8, \"num_key_value_heads\": 8, \"hidden_size\": 64}";
    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char cut[sizeof whole] = "";
        struct sp_model model;
        memcpy(cut, whole, n);
        assert_non_null(read_text(cut, &model));
    }
}

static void test_no_file(void **state)
{
    (void)state;
    struct sp_model model;
    assert_string_equal(sp_model_read("no/config.json", &model),
                        "cannot read no/config.json: No such file or directory");
}

/* The files that come with the program. */
static void test_shipped(void **state)
{
    static const struct { const char *name; struct sp_model model; } shipped[] = {
        { "llama-3.1-8b", { 32, 8, 128 } },
        { "llama-3.1-70b", { 64, 8, 128 } },
        { "mistral-7b", { 32, 8, 128 } },
        { "mixtral-8x22b", { 48, 8, 128 } },
        { "qwen2.5-7b", { 28, 4, 128 } },
    };
    (void)state;
    const char *srcdir = getenv("srcdir");
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        char path[4096];
        struct sp_model model;
        snprintf(path, sizeof path, "%s/models/%s.json", srcdir ? srcdir : ".",
                 shipped[i].name);
        assert_null(sp_model_read(path, &model));
        assert_int_equal(model.heads, shipped[i].model.heads);
        assert_int_equal(model.kv_heads, shipped[i].model.kv_heads);
        assert_int_equal(model.head_dim, shipped[i].model.head_dim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
