/* trace.h - the steps of a repetition as a Chrome trace (chrome://tracing, Perfetto). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TRACE_H
#define SP_TRACE_H

#include "executor/executor.h"
#include "transport/transport.h"

/* Every rank of c calls it, with its own spans; they take turns to append to the file: a
 * process a rank, a thread a lane. NULL, or why it can't be written. */
const char *sp_trace_write(const char *path, const struct sp_plan *p, struct sp_comm *c,
                           const struct sp_span *span);

/* NULL, or why it couldn't be. Leaves an empty file. */
const char *sp_trace_refuse(const char *path);

#endif
