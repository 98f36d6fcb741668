/* fuzz.h: what the fuzz targets share. A target is one file with one function that takes any bytes, hands
 * them to the code under test and judges the answer by an oracle of its own.
 *
 * The same file is built twice: with libFuzzer (test/run/fuzz.sh), and with fuzz_replay.c by the ordinary
 * compiler, which runs the files in test/fuzz/corpus/NAME. Both run from the top of the tree.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/base.h"

#include <stddef.h>
#include <stdint.h>

/* The target. Bytes it can't use are no finding: it returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pool of this input. Each call empties it: once at the beginning of a target. */
apr_pool_t *fuzz_pool(void);

/* Says what is wrong and ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) void fuzz_fail(const char *format, ...);

#define FUZZ_CHECK(condition, ...)                                                             \
    do {                                                                                       \
        if (!(condition))                                                                      \
            fuzz_fail(__VA_ARGS__);                                                            \
    } while (0)

/* Equal texts; NULL is equal to NULL only. */
int fuzz_same(const char *a, const char *b);

/* ---- the input in parts ---- */

typedef struct fuzz_input_t {
    const uint8_t *at;
    size_t left;
} fuzz_input_t;

/* The next byte, 0 behind the end. */
unsigned fuzz_byte(fuzz_input_t *input);

/* What stands between the parts of an input. Like every text here a part ends at a NUL for the code under test. */
#define FUZZ_BETWEEN '\f'

/* The next part; "" behind the last. */
const char *fuzz_part(fuzz_input_t *input, apr_pool_t *pool);

/* All that is left as a text. */
const char *fuzz_rest(fuzz_input_t *input, apr_pool_t *pool);

/* ---- UTF-8 by its definition, without a library ---- */

/* The bytes of the code point at `at`, and which it is; 0 when they are not well-formed (RFC 3629 4). */
size_t fuzz_code_point(uint32_t *point, const uint8_t *at, size_t left);

/* 1 when a text is well-formed and has no control but tab, LF and CR. */
int fuzz_plain_utf8(const char *text, size_t length);

/* ---- oracles in other languages: one process each, over two pipes ---- */

typedef enum {
    FUZZ_NODE,  /* oracle.js */
    FUZZ_PYTHON /* oracle.py */
} fuzz_oracle_e;

/* Asks about texts, NULL-ended; `kind` is one of the questions the script knows. Ends the program when it
 * disagrees. Where that language is not installed the question is skipped, and that said once. */
void fuzz_ask(fuzz_oracle_e oracle, char kind, const char *const *texts);

#define FUZZ_TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* 1 for one in so many inputs, always the same ones, and for all of a corpus: where an oracle is slow. */
int fuzz_chosen(const uint8_t *data, size_t size, unsigned many);

/* Set by fuzz_replay.c. */
extern int fuzz_replaying;

#endif
