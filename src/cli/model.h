/* model.h - the shape of a model's attention, from its Hugging Face config.json. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_MODEL_H
#define SP_MODEL_H

struct sp_model { int heads, kv_heads, head_dim; };

/* NULL, or why the file doesn't say. The text is static. */
const char *sp_model_read(const char *path, struct sp_model *model);

#endif
