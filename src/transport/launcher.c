/* launcher.c - the variables by which Open MPI, PMI and Slurm tell a process of its launch. */
/* SPDX-License-Identifier: MIT */
#include "transport/launcher.h"

#include <stddef.h>
#include <stdlib.h>

static int first_set(const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (getenv(names[i]))
            return atoi(getenv(names[i]));
    return 0;
}

int sp_launched_ranks(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                                         NULL };
    return first_set(names);
}

int sp_launched_rank(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID", NULL };
    return first_set(names);
}
