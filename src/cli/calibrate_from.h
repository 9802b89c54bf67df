/* calibrate_from.h - a profile from published measurements instead of one's own. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CALIBRATE_FROM_H
#define SP_CALIBRATE_FROM_H

/* Read a recipe (topologies/profiles/recipes), fit what it says, write the profile to `out`
 * and a summary to stdout. An exit code; what is wrong has been printed. */
int sp_calibrate_from(const char *recipe, const char *out);

#endif
