/* launch.h - the ranks of this launch, and how each of them works. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_LAUNCH_H
#define SP_LAUNCH_H

#include "cli/options.h"
#include "kernels/kernels.h"
#include "transport/transport.h"

struct sp_launch {
    struct sp_comm *world;
    const struct sp_kernels *kernels;
    int threads;                /* of each rank */
    double peak[2];             /* FLOP/s that one thread can do at most, by dtype; 0: unknown */
};

/* Starts the transport and finds kernels and threads. Ends the program, with a reason, if
 * there is none such (exit 2, 3). */
struct sp_launch sp_launch_begin(const struct sp_options *o);
/* Measure the peak of a dtype again, for longer: whatever disturbed it may be over. */
void sp_launch_peak(struct sp_launch *l, enum sp_dtype dtype);
void sp_launch_end(struct sp_launch *l);

/* Processors of this host that its ranks may use. */
int sp_processors(void);

/* Bytes of memory that can still be had on this host. */
double sp_memory_available(void);

#endif
