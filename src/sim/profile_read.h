/* profile_read.h - a profile from a JSON object, for who changes it first: recipes. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PROFILE_READ_H
#define SP_PROFILE_READ_H

#include "sim/profile.h"
#include "util/json.h"

/* NULL: *why says what is wrong. */
struct sp_profile *sp_profile_read(const json_t *root, const char **why);

#endif
