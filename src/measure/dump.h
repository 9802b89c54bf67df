/* dump.h - the global tensors of a run as NumPy files, for other people's tools. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_DUMP_H
#define SP_DUMP_H

#include "plan/plan.h"
#include "transport/transport.h"

/* Write q k v o, with backward also do dq dk dv, as DIR/<name>.npy, batch x sequence x heads x
 * dim, float32 (bf16 widened), and DIR/problem.json. DIR is made if need be, its parent not.
 * All ranks of c call it (c is NULL when all of them live in this process), and either all get
 * NULL or all get why not. */
const char *sp_dump(struct sp_comm *c, const struct sp_plan *p, const char *strategy,
                    void *const *data, const char *dir);

/* NULL, or why nothing could be written there. Makes the directory. */
const char *sp_dump_refuse(const char *dir);

#endif
