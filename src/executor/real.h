/* real.h - the steps of one rank on processors and wires. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_REAL_H
#define SP_REAL_H

#include "executor/executor.h"
#include "kernels/kernels.h"
#include "transport/transport.h"

/* What is really done: parts left out, or one thing at a time, show what overlap gives. */
enum sp_mode { SP_OVERLAPPED, SP_SERIALISED, SP_COMPUTE_ONLY, SP_COMM_ONLY, SP_NMODES };
extern const char *const sp_mode_names[];

struct sp_real;

/* Memory for the buffers of c->rank, and for the kernels, in one piece each; nothing is
 * allocated later. */
struct sp_real *sp_real_new(const struct sp_plan *p, struct sp_comm *c, const struct sp_kernels *k,
                            int threads);
void sp_real_free(struct sp_real *x);

void *const *sp_real_data(const struct sp_real *x);     /* by buffer; NULL: another rank's */

/* What such an executor will allocate: the rank's buffers, and scratch. */
size_t sp_real_bytes(const struct sp_plan *p, int rank, const struct sp_kernels *k);

/* Run one pass of this rank. span[step] is set if it isn't NULL. */
void sp_real_run(struct sp_real *x, enum sp_pass pass, enum sp_mode mode, struct sp_span *span);

#endif
