/* mail_folder.h: a folder that takes mails as files, for development and tests.
 *
 * The same message as by SMTP, with the HTML part beside it for a browser.
 */
#ifndef UA_MAIL_FOLDER_H
#define UA_MAIL_FOLDER_H

#include "mail.h"

/* Writes <name>.html and then <name>.eml into the folder: each elsewhere (".<file>.tmp" in the same
 * folder) first, then renamed, mode 0644. name is "<date as YYYYMMDDThhmmss.uuuuuuZ>-<id>", so the
 * same message twice is one file. APR_EINVAL as ua_mail_build(), else the status of the file. */
apr_status_t ua_mail_to_folder(apr_pool_t *pool, const char *folder,
                               const ua_mail_t *mail) UA_MUST_USE;

/* What would come of a mail, without one: a temporary file ".<id>.try.tmp" written and removed again. The
 * status of the file, as above. */
apr_status_t ua_mail_folder_try(apr_pool_t *pool, const char *folder,
                                const char *id) UA_MUST_USE;

#endif
