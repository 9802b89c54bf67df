/* units.h - rates and times of links as people write them: 400Gb/s, 50GB/s, 0.6us. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_UNITS_H
#define SP_UNITS_H

/* Bytes/s. Letters count: Gb/s are bits, GB/s bytes; a bare number is GB/s. */
const char *sp_parse_rate(const char *text, double *value);

/* Seconds: 250ns, 0.6us, 1ms, 0s. */
const char *sp_parse_time(const char *text, double *value);

#endif
