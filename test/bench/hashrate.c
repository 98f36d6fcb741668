/* hashrate.c: hashrate THREADS SECONDS [MEMORY_KIB PASSES]: how many Argon2id hashes libsodium makes when nothing
 * else has to be done; prints {"hashes": N, "rate": a second}. Also the unrelated process that burns a processor
 * while flood.py looks at the server. Built and run by the benches. */
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MOST 256

typedef struct {
    double until;
    unsigned long long passes;
    size_t memory;
    double hashes;
    double rate;
    int failed;
} work_t;

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Each thread counts its own time: the last hash ends behind the others'. */
static void *run(void *data)
{
    static const char password[] = "purple-monkey-dishwasher-92";
    work_t *work = data;
    unsigned char salt[crypto_pwhash_SALTBYTES];
    unsigned char digest[32];
    double began = now();

    randombytes_buf(salt, sizeof salt);
    do {
        work->failed =
            crypto_pwhash(digest, sizeof digest, password, sizeof password - 1, salt,
                          work->passes, work->memory, crypto_pwhash_ALG_ARGON2ID13) != 0;
        work->hashes++;
    } while (!work->failed && now() < work->until);
    work->rate = work->hashes / (now() - began);
    return NULL;
}

int main(int argc, char **argv)
{
    static work_t works[THREADS_MOST];
    static pthread_t threads[THREADS_MOST];
    int count = argc > 2 ? atoi(argv[1]) : 0;
    double hashes = 0;
    double rate = 0;
    int failed = 0;

    if (count < 1 || count > THREADS_MOST || sodium_init() < 0) {
        fprintf(stderr, "usage: hashrate THREADS SECONDS [MEMORY_KIB PASSES]\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        works[i].until = now() + atof(argv[2]);
        works[i].memory = (argc > 3 ? (size_t)atol(argv[3]) : 19456) * 1024;
        works[i].passes = argc > 4 ? (unsigned long long)atol(argv[4]) : 2;
        failed |= pthread_create(&threads[i], NULL, run, &works[i]) != 0;
    }
    for (int i = 0; i < count && !failed; i++) {
        pthread_join(threads[i], NULL);
        hashes += works[i].hashes;
        rate += works[i].rate;
        failed |= works[i].failed;
    }
    printf("{\"hashes\": %.0f, \"rate\": %.3f}\n", hashes, rate);
    return failed;
}
