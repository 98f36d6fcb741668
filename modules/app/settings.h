/* settings.h: shared by settings*.c only. */
#ifndef UA_SETTINGS_H
#define UA_SETTINGS_H

#include "app.h"

/* Resolves some settings. NULL, or what is wrong; *row is then the directive's index, or -1. */
typedef const char *resolve_f(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* Everything about mail: where it goes, from whom, how secretly, how often. */
const char *ua_settings_mail(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* settings_database.c: engine, parameters, password. */
const char *ua_settings_database(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* 1 for the full path of what may be a file. */
int ua_settings_is_file(const char *path);

/* The first line of a file that only its owner can read, without its end; or what is wrong with it. */
const char *ua_settings_secret(const char **out, apr_pool_t *pool, const char *directive,
                               const char *path);

/* settings_profile.c */
const char *ua_settings_profile(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* settings_pass.c */
const char *ua_settings_pass(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* settings_blocklist.c */
const char *ua_settings_blocklist(ua_conf_t *conf, apr_pool_t *pool, int *row);

/* An entry of a list as one line, for a message. */
const char *ua_settings_line(apr_pool_t *pool, const char *words);

#endif
