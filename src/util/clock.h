/* clock.h - seconds by the wall. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CLOCK_H
#define SP_CLOCK_H

double sp_now(void);            /* monotonic, from an unknown start */

#endif
