/* mailer.c: from a row of the outbox to a message: derives the links, renders text and HTML. The
 * mail template's first line is its subject. */
#include "app.h"
#include "base/email.h"
#include "base/mail.h"
#include "base/text.h"
#include "domain/outbox.h"

#include <string.h>

#define SUBJECT "Subject: "

/* The link of a token, "" without one. */
static apr_status_t link_of(const char **out, const ua_app_t *app, ua_ctx_t *ctx,
                            const ua_token_t *token)
{
    const char *text = NULL;

    *out = "";
    if (*token->id && *token->purpose) {
        UA_CHECK(ua_token_text(&text, ctx->pool, app->keys, token));
        *out = apr_pstrcat(ctx->pool, app->conf->site, app->conf->path, "/", token->purpose,
                           "?token=", text, NULL);
    }
    return APR_SUCCESS;
}

static apr_status_t add_links(json_t *view, const ua_app_t *app, ua_ctx_t *ctx,
                              const ua_outbox_t *row)
{
    const char *purpose = ua_mail_kinds[row->kind].purpose;
    ua_token_t token = {.id = row->token_id,
                        .account_id = row->account_id,
                        .purpose = purpose,
                        .email = row->email};
    ua_token_t disown = {.id = row->disown_id,
                         .account_id = row->account_id,
                         .purpose = UA_PURPOSE_DISOWN,
                         .email = row->email};
    const char *text = NULL;

    UA_CHECK(link_of(&text, app, ctx, &token));
    ua_json_set(view, "link", text);
    ua_json_set(view, "lifetime",
                ua_duration_words(ctx->pool, ua_token_lifetime(app->conf, purpose)));
    if (row->kind == UA_MAIL_VERIFY) {
        UA_CHECK(ua_token_code(&text, ctx->pool, app->keys, &token));
        ua_json_set(view, "code", text);
    }
    UA_CHECK(link_of(&text, app, ctx, &disown));
    ua_json_set(view, "disown_link", text);
    return APR_SUCCESS;
}

static void add_page(json_t *view, const ua_app_t *app, ua_ctx_t *ctx, const char *key,
                     const char *page)
{
    ua_json_set(view, key,
                apr_pstrcat(ctx->pool, app->conf->site, app->conf->path, "/", page, NULL));
}

/* A new address that is another's by now: its row looks like any other, so that the person who asked can't tell
 * by what is stored (UserAuthHideAccounts). */
static apr_status_t find_taken(int *taken, ua_ctx_t *ctx, const ua_outbox_t *row)
{
    ua_email_t email;
    apr_status_t rv = APR_SUCCESS;

    if (row->kind != UA_MAIL_EMAIL ||
        ua_email_parse(&email, ctx->pool, row->email) != APR_SUCCESS) {
        return APR_SUCCESS;
    }
    rv = ua_email_taken(taken, ctx, email.key, row->account_id);
    ua_db_release(ctx);
    return rv;
}

/* What the row tells beside name and address; NULL when that can't be read. */
static apr_status_t detail_of(json_t **out, ua_ctx_t *ctx, const ua_outbox_t *row)
{
    json_t *detail = ua_json_own(ctx->pool, json_loads(row->detail, 0, NULL));
    int taken = 0;

    UA_CHECK(find_taken(&taken, ctx, row));
    if (taken) {
        detail = json_is_object(detail) ? detail : ua_json_object(ctx->pool);
        ua_json_set_flag(detail, "taken", 1);
    }
    *out = detail;
    return APR_SUCCESS;
}

static apr_status_t view_of(json_t **out, const ua_app_t *app, ua_ctx_t *ctx,
                            const ua_outbox_t *row)
{
    json_t *view = ua_json_object(ctx->pool);
    json_t *site = ua_json_object(ctx->pool);
    json_t *detail = NULL;

    UA_CHECK(detail_of(&detail, ctx, row));
    UA_CHECK(add_links(view, app, ctx, row));
    ua_json_set(site, "name", app->conf->site_name);
    ua_json_set(site, "url", app->conf->site);
    json_object_set(view, "site", site);
    ua_json_set(view, "lang", "en");
    ua_json_set(view, "username", row->username);
    ua_json_set(view, "email", row->email);
    add_page(view, app, ctx, "login_link", "login");
    add_page(view, app, ctx, "forgot_link", "forgot");
    ua_json_set(view, "time", ua_time_words(ctx->pool, row->created));
    ua_json_set(view, "expires", ua_time_words(ctx->pool, row->expires));
    if (detail) {
        json_object_set(view, "detail", detail);
    }
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
    const char *stem = apr_pstrcat(ctx->pool, "mail/", ua_mail_kinds[row->kind].name, NULL);
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
