/* page.h: shared by page.c, page_json.c and page_html.c only: texts, and the two kinds of body. */
#ifndef UA_PAGE_H
#define UA_PAGE_H

#include "app.h"

/* What the reply's problem says: the feature's words, else those of problems.def. */
const char *ua_page_title(const ua_res_t *res);
const char *ua_page_detail(const ua_res_t *res);

/* 1 when an offer leads to a page that exists. */
int ua_page_offers(const ua_req_t *req, const ua_link_t *link);

/* The text of a notice; that of a code from ?notice=, or NULL. */
const char *ua_page_notice(ua_notice_e notice);
const char *ua_page_notice_of_code(const char *code);

/* The stable code of a problem. */
const char *ua_page_code(ua_problem_e problem);

void ua_page_json(ua_req_t *req, ua_res_t *res);
void ua_page_html(const ua_app_t *app, ua_req_t *req, ua_res_t *res);

#endif
