/* mail_folder.c: see mail_folder.h. */
#include "mail_folder.h"

#include <apr_file_io.h>

#include <string.h>

#define TRIED     4096
#define FILE_MODE (APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD | APR_FPROT_WREAD)

static apr_status_t file_fill(apr_pool_t *pool, const char *path, const char *data,
                              apr_size_t length)
{
    apr_file_t *file;

    UA_CHECK(apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_EXCL,
                           FILE_MODE, pool)); /* which registers its cleanup with the pool */
    UA_CHECK(apr_file_write_full(file, data, length, NULL));
    UA_CHECK(apr_file_sync(file));
    UA_CHECK(apr_file_close(file));
    return apr_file_perms_set(path, FILE_MODE); /* whatever the umask is */
}

/* A reader of the folder sees the whole file or none. What a killed process left is in the way of
 * nothing; a failure leaves nothing. */
static apr_status_t file_put(apr_pool_t *pool, const char *folder, const char *name,
                             const char *data, apr_size_t length)
{
    const char *path = apr_psprintf(pool, "%s/%s", folder, name);
    const char *temporary = apr_psprintf(pool, "%s/.%s.tmp", folder, name);
    apr_status_t rv;

    (void)apr_file_remove(temporary, pool);
    rv = file_fill(pool, temporary, data, length);
    if (rv == APR_SUCCESS) {
        rv = apr_file_rename(temporary, path, pool);
    }
    if (rv != APR_SUCCESS) {
        (void)apr_file_remove(temporary, pool);
    }
    return rv;
}

apr_status_t ua_mail_to_folder(apr_pool_t *pool, const char *folder, const ua_mail_t *mail)
{
    const char *message;
    const char *name;
    apr_size_t length;
    apr_time_exp_t at;

    UA_CHECK(ua_mail_build(&message, &length, pool, mail)); /* checks the id, too */
    UA_CHECK(apr_time_exp_gmt(&at, mail->date));
    name = apr_psprintf(pool, "%04d%02d%02dT%02d%02d%02d.%06dZ-%s", at.tm_year + 1900,
                        at.tm_mon + 1, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, at.tm_usec,
                        mail->id);
    UA_CHECK(file_put(pool, folder, apr_pstrcat(pool, name, ".html", NULL), mail->html,
                      strlen(mail->html)));
    return file_put(pool, folder, apr_pstrcat(pool, name, ".eml", NULL), message, length);
}

/* As long as a small mail, so that a full disk shows. */
apr_status_t ua_mail_folder_try(apr_pool_t *pool, const char *folder, const char *id)
{
    const char *path = apr_psprintf(pool, "%s/.%s.try.tmp", folder, id);
    apr_status_t rv;

    (void)apr_file_remove(path, pool);
    rv = file_fill(pool, path, apr_pcalloc(pool, TRIED), TRIED);
    (void)apr_file_remove(path, pool);
    return rv;
}
