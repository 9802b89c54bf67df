/* published.h - rows of published tables (results/published) as samples to fit. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PUBLISHED_H
#define SP_PUBLISHED_H

#include "sim/profile.h"

/* Which rows: those whose cells are these; NULL: any. Rows whose notes or source say FLAG or
 * EXCLUDE never count. */
struct sp_published {
    const char *path;
    const char *hardware;       /* exactly */
    const char *kernel;         /* exactly; of kernels_*.csv */
    const char *collective;     /* how it begins; of nccl_*.csv */
    bool less_forward;          /* GRAD: rows of both passes, less those of the first alone */
};

/* Append samples of the op, dtype and dim of *k: fp16 counts as bf16. free() them. */
const char *sp_published_kernels(const struct sp_published *from, const struct sp_kernel_fit *k,
                                 struct sp_sample **sample, int *n);

const char *sp_published_transfers(const struct sp_published *from, struct sp_transfer **t,
                                   int *n);

#endif
