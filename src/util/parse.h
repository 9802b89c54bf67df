/* parse.h - numbers, names and lists as people write them: 16K, 500ms, fp32, 1,2,4.
 *
 * Strict: the whole text must make sense and the value be in range. Each returns NULL, or
 * why not; then nothing is stored. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_PARSE_H
#define SP_PARSE_H

/* 4096, 16K, 1M, 2G; the letters are binary. */
const char *sp_parse_size(const char *text, long low, long high, long *value);

/* 2, 2s, 500ms, 10us, 3m, 1h */
const char *sp_parse_seconds(const char *text, double *value);

/* 0.25, 1e-3 */
const char *sp_parse_real(const char *text, double low, double high, double *value);

/* The place of text in a list of names, which ends with NULL. */
const char *sp_parse_name(const char *text, const char *const *names, int *place);

/* What stands between commas, none of it empty. free() the array: the words are in it. */
const char *sp_parse_words(const char *text, char ***words, int *n);

/* Sizes between commas. free() the array. */
const char *sp_parse_sizes(const char *text, long low, long high, long **values, int *n);

#endif
