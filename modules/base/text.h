/* text.h: small things done to text: case, durations, times, logs. No locale. */
#ifndef UA_TEXT_H
#define UA_TEXT_H

#include "base.h"

/* A-Z to a-z; other bytes as they are. */
const char *ua_lower(apr_pool_t *pool, const char *text);

/* 1 when `text` is one of a blank-separated list, without regard to ASCII case. */
int ua_listed(const char *list, const char *text);

/* "90", "90s", "15m", "24h", "7d" into microseconds; a bare number is seconds. Digits and one unit,
 * nothing else; APR_EINVAL also on overflow. */
apr_status_t ua_duration_parse(apr_interval_time_t *out, const char *text) UA_MUST_USE;

/* In words for people: "30 seconds", "1 minute", "24 hours", "7 days": the largest unit that divides
 * it after rounding up to whole seconds. */
const char *ua_duration_words(apr_pool_t *pool, apr_interval_time_t duration);

/* How long somebody has to wait: exact below 100 seconds, then rounded up to minutes, from 100 minutes on to hours. */
const char *ua_wait_words(apr_pool_t *pool, apr_interval_time_t wait);

/* RFC 3339 UTC to the second: "2026-11-21T08:30:00Z". "" for 0. */
const char *ua_time_rfc3339(apr_pool_t *pool, apr_time_t time);

/* For people: "21 November 2026 at 08:30 UTC"; "" for 0. */
const char *ua_time_words(apr_pool_t *pool, apr_time_t time);

/* RFC 5322, UTC: "Sat, 21 Nov 2026 08:30:00 +0000". */
const char *ua_time_rfc5322(apr_pool_t *pool, apr_time_t time);

/* Printable ASCII for a log line: other bytes, quotes and backslashes as \xNN; cut after `most`
 * bytes with "...". */
const char *ua_log_escape(apr_pool_t *pool, const char *text, apr_size_t most);

/* An address as a key for counting: IPv4 (also v4-mapped) whole, IPv6 its /64. */
const char *ua_address_network(apr_pool_t *pool, const char *address);

/* 1 for 127.0.0.0/8, ::1 and their v4-mapped form. */
int ua_address_loopback(const char *address);

#endif
