/* queries.c: the statements of queries.h as a table. */
#include "domain.h"

const ua_query_t ua_queries[UA_QUERIES] = {
#define UA_QUERY(name, sql) [UA_Q_##name] = {UA_Q_##name, #name, sql},
#include "queries.h"
#undef UA_QUERY
};
