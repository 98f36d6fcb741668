/* mailer.c: from a row of the outbox to a message: derives the links, renders text and HTML. The
 * mail template's first line is its subject. */
#include "app.h"
#include "base/mail.h"
#include "base/text.h"
#include "domain/outbox.h"

#include <string.h>

#define SUBJECT "Subject: "

/* The link of a token, "" without one. */
static apr_status_t link_of(const char **out, const ua_app_t *app, ua_ctx_t *ctx,
                            const ua_outbox_t *row, const char *purpose)
{
    int verify = strcmp(purpose, UA_PURPOSE_VERIFY) == 0;
    ua_token_t token = {.id = verify ? row->token_id : row->disown_id,
                        .account_id = row->account_id,
                        .purpose = purpose,
                        .email = row->email};
    const char *text = NULL;

    *out = "";
    if (*token.id) {
        UA_CHECK(ua_token_text(&text, ctx->pool, app->keys, &token));
        *out = apr_pstrcat(ctx->pool, app->conf->site, app->conf->path, "/", purpose,
                           "?token=", text, NULL);
    }
    return APR_SUCCESS;
}

static apr_status_t view_of(json_t **out, const ua_app_t *app, ua_ctx_t *ctx,
                            const ua_outbox_t *row)
{
    json_t *view = ua_json_object(ctx->pool);
    json_t *site = ua_json_object(ctx->pool);
    const char *link = NULL;
    const char *disown = NULL;

    UA_CHECK(link_of(&link, app, ctx, row, UA_PURPOSE_VERIFY));
    UA_CHECK(link_of(&disown, app, ctx, row, UA_PURPOSE_DISOWN));
    ua_json_set(site, "name", app->conf->site_name);
    ua_json_set(site, "url", app->conf->site);
    json_object_set(view, "site", site);
    ua_json_set(view, "lang", "en");
    ua_json_set(view, "username", row->username);
    ua_json_set(view, "email", row->email);
    ua_json_set(view, "link", link);
    ua_json_set(view, "disown_link", disown);
    ua_json_set(view, "login_link",
                apr_pstrcat(ctx->pool, app->conf->site, app->conf->path, "/login", NULL));
    ua_json_set(view, "lifetime", ua_duration_words(ctx->pool, app->conf->verify_lifetime));
    ua_json_set(view, "expires", ua_time_words(ctx->pool, row->expires));
    *out = view;
    return APR_SUCCESS;
}

/* Splits "Subject: …\n\nbody". */
static apr_status_t take_subject(ua_mail_t *mail, ua_ctx_t *ctx, const char *text)
{
    apr_size_t length = strcspn(text, "\r\n");

    if (strncmp(text, SUBJECT, strlen(SUBJECT)) != 0) {
        return ua_fail(ctx, APR_EINVAL, "a mail template does not begin with \"Subject: \"");
    }
    mail->subject = apr_pstrmemdup(ctx->pool, text + strlen(SUBJECT), length - strlen(SUBJECT));
    mail->text = text + length + strspn(text + length, "\r\n");
    return APR_SUCCESS;
}

apr_status_t ua_mailer_write(ua_mail_t *out, const ua_app_t *app, ua_ctx_t *ctx,
                             const ua_outbox_t *row)
{
    const char *stem = apr_pstrcat(ctx->pool, "mail/", row->kind, NULL);
    const char *text = NULL;
    json_t *view = NULL;
    ua_mail_t mail = {.id = row->id,
                      .date = row->created,
                      .from_name = app->conf->from_name,
                      .from_address = app->conf->from_address,
                      .to = row->email,
                      .reply_to = app->conf->mail_reply_to ? app->conf->mail_reply_to : ""};

    ctx->failed = stem;
    UA_CHECK(view_of(&view, app, ctx, row));
    UA_CHECK(ua_template_render(&text, ctx->pool, app->templates,
                                apr_pstrcat(ctx->pool, stem, ".txt", NULL), view));
    UA_CHECK(ua_template_render(&mail.html, ctx->pool, app->templates,
                                apr_pstrcat(ctx->pool, stem, ".html", NULL), view));
    UA_CHECK(take_subject(&mail, ctx, text));
    *out = mail;
    return APR_SUCCESS;
}
