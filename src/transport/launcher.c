/* launcher.c - the variables by which Open MPI, PMI and Slurm tell a process of its launch. */
/* SPDX-License-Identifier: MIT */
#include "transport/launcher.h"

#include <stddef.h>
#include <stdlib.h>

int sp_launched_ranks(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                                         NULL };
    for (int i = 0; names[i]; i++) {
        const char *value = getenv(names[i]);
        if (value && atoi(value) > 0)
            return atoi(value);
    }
    return 0;
}
