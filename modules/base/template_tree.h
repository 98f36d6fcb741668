/* template_tree.h: the tree that template_parse.c builds and template.c renders.
 *
 * Private to the template_*.c family. A tree is never changed after loading, so that all threads
 * may render from it. Texts point into the source text, which lives as long as the tree.
 */
#ifndef UA_TEMPLATE_TREE_H
#define UA_TEMPLATE_TREE_H

#include "template.h"
#include <apr_hash.h>

#define UA_TEMPLATE_DEPTH  64      /* levels of one page, files and blocks unfolded */
#define UA_TEMPLATE_STEPS  20000   /* nodes of one page, files and blocks unfolded */
#define UA_TEMPLATE_OUTPUT 1048576 /* bytes of one page */

typedef enum {
    UA_NODE_TEXT,     /* a piece of one line, with its line end when it has it */
    UA_NODE_LINE,     /* the start of a line: its leading blanks are in `lead` */
    UA_NODE_VARIABLE, /* {{path}} */
    UA_NODE_SECTION,  /* {{#path}}; also the root of a file */
    UA_NODE_INVERTED, /* {{^path}} */
    UA_NODE_PARTIAL,  /* {{>target}} */
    UA_NODE_PARENT,   /* {{<target}}; its children are blocks only */
    UA_NODE_BLOCK     /* {{$text}}: a place to fill, or inside a parent tag what fills it */
} ua_node_kind_e;

struct ua_template_t;

typedef struct ua_node_t {
    ua_node_kind_e kind;
    int line;
    int leads; /* parent, block: only blanks stand before it in its line (they are in `lead`) */
    int fresh; /* block: the content begins on the line below the tag */
    int own_line; /* partial, parent, block: nothing else stands on its lines; they are dropped */
    const char *text; /* text: the bytes; other tags: the name */
    apr_size_t length;
    const char *lead; /* leading blanks; of a fresh block: those of its content's first line */
    apr_size_t lead_length;
    const char *const *path; /* the parts of a dotted name, NULL-ended; none for {{.}} */
    const struct ua_template_t *target;
    const struct ua_template_t *file;
    struct ua_node_t *up, *first, *last, *next;
} ua_node_t;

typedef struct ua_template_t {
    const char *name;  /* "mail/verify.txt" */
    const char *where; /* how messages call it */
    int html;          /* values are escaped */
    int done;          /* 0 while being parsed: whoever meets it then includes itself */
    ua_node_t root;
    struct ua_template_t *next; /* in order of loading */
} ua_template_t;

struct ua_templates_t {
    apr_pool_t *pool;
    apr_hash_t *files; /* name -> ua_template_t */
    ua_template_t *all;
};

/* Renders without a view: each section and each inverted section once, \001 for the variable of
 * that name, \002 for any other. APR_EINVAL with *at for what is nested deeper than
 * UA_TEMPLATE_DEPTH, APR_ENOMEM with *at past UA_TEMPLATE_STEPS or UA_TEMPLATE_OUTPUT. */
apr_status_t ua_template_outline(const char **out, const ua_node_t **at, apr_pool_t *pool,
                                 const ua_template_t *file, const char *variable) UA_MUST_USE;

#endif
