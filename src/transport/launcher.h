/* launcher.h - what mpirun or srun say of the launch, before MPI starts. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_LAUNCHER_H
#define SP_LAUNCHER_H

/* Ranks of this launch by the launcher's environment; 0: started without a launcher. */
int sp_launched_ranks(void);

/* Which of them this process is; 0 without a launcher. */
int sp_launched_rank(void);

#endif
