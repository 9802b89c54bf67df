/* model.c - what config.json says about attention. Models that see or hear keep the
 * numbers of their language model one level down. A guess is never made: kinds of
 * attention that are not ours, and files that leave a number open, are refused. */
/* SPDX-License-Identifier: MIT */
#include "cli/model.h"

#include <stddef.h>

#include "util/json.h"
#include "util/why.h"

enum { MOST_HEADS = 1 << 16, MOST_DIM = 1 << 14, MOST_HIDDEN = 1 << 24 };

/* Of the file or of a part of it, whichever has attention heads. */
static const json_t *language_model(const json_t *root)
{
    static const char *const parts[] = { "text_config", "language_config", "llm_config" };
    const json_t *model = root;
    for (size_t i = 0; !sp_json_get(model, "num_attention_heads"); i++) {
        if (i == sizeof parts / sizeof *parts)
            return NULL;
        model = sp_json_get(root, parts[i]);
    }
    return model;
}

static const char *read_head_dim(const json_t *config, long heads, long *dim)
{
    long hidden;
    const char *why = sp_json_whole(config, "head_dim", 1, MOST_DIM, 0, dim);
    if (why || *dim)
        return why;
    why = sp_json_whole(config, "hidden_size", 1, MOST_HIDDEN, 0, &hidden);
    if (why)
        return why;
    if (!hidden)
        return sp_why("neither head_dim nor hidden_size is there");
    if (hidden % heads)
        return sp_why("num_attention_heads %ld must divide hidden_size %ld, "
                      "or head_dim be given", heads, hidden);
    *dim = hidden / heads;
    if (*dim > MOST_DIM)
        return sp_why("hidden_size %ld makes heads of %ld, more than %d", hidden, *dim,
                      MOST_DIM);
    return NULL;
}

static const char *read_shape(const json_t *config, struct sp_model *model)
{
    if (!config)
        return sp_why("no num_attention_heads in it, nor in its text_config, "
                      "language_config or llm_config");
    if (sp_json_get(config, "kv_lora_rank"))
        return sp_why("not supported: multi-head latent attention (kv_lora_rank)");
    if (json_is_true(sp_json_get(config, "multi_query")) &&
        !sp_json_get(config, "num_key_value_heads"))
        return sp_why("multi_query is true, but no num_key_value_heads says how many");
    long heads, kv_heads, dim;
    const char *why;
    why = sp_json_whole(config, "num_attention_heads", 1, MOST_HEADS, 0, &heads);
    if (!why)
        why = sp_json_whole(config, "num_key_value_heads", 1, MOST_HEADS, heads,
                            &kv_heads);
    if (!why && heads % kv_heads)
        why = sp_why("num_key_value_heads %ld must divide num_attention_heads %ld",
                     kv_heads, heads);
    if (!why)
        why = read_head_dim(config, heads, &dim);
    if (why)
        return why;
    *model = (struct sp_model){ .heads = (int)heads, .kv_heads = (int)kv_heads,
                                .head_dim = (int)dim };
    return NULL;
}

const char *sp_model_read(const char *path, struct sp_model *model)
{
    const char *why;
    json_t *root = sp_json_load(path, &why);
    if (!root)
        return why;
    why = read_shape(language_model(root), model);
    json_decref(root);
    return why ? sp_why("%s: %s", path, why) : NULL;
}
