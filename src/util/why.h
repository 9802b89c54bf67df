/* why.h - the sentence that says what is wrong with what a user gave. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_WHY_H
#define SP_WHY_H

/* The text, kept until the next call; an earlier one may be among the arguments. Control
 * characters, which strangers' files bring in, become '?': it stays one line. */
const char *sp_why(const char *text, ...) __attribute__((format(printf, 1, 2)));

#endif
