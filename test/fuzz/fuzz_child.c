/* fuzz_child.c: asks a process of another language what it makes of a text: see fuzz.h.
 *
 * A question is its kind, the number of texts and each with its length before it; the answer likewise is one
 * text: "" when the oracle agrees, else what it says against. The process starts at the first question and
 * ends when the pipe closes.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_BYTES 2000

typedef struct child_t {
    const char *program, *script;

    enum { NEW, THERE, ABSENT } state;

    int to, from;
    pid_t pid;
} child_t;

static child_t children[] = {
    [FUZZ_NODE] = {"node", "test/fuzz/oracle.js", NEW, -1, -1, 0},
    [FUZZ_PYTHON] = {"/usr/bin/python3", "test/fuzz/oracle.py", NEW, -1, -1, 0},
};

static void start(child_t *child)
{
    char *argv[] = {(char *)(uintptr_t)child->program, (char *)(uintptr_t)child->script, NULL};
    posix_spawn_file_actions_t actions;
    int question[2], answer[2];
    int error = 0;

    signal(SIGPIPE, SIG_IGN);
    FUZZ_CHECK(pipe2(question, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0, "no pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, question[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, answer[1], STDOUT_FILENO);
    error = posix_spawnp(&child->pid, child->program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(question[0]);
    close(answer[1]);
    FUZZ_CHECK(error == 0 || error == ENOENT, "%s: %s", child->program, strerror(error));
    child->to = question[1];
    child->from = answer[0];
    child->state = error == 0 ? THERE : ABSENT;
    if (error == ENOENT) {
        printf("skipped: the questions to %s, which is not installed\n", child->program);
    }
}

__attribute__((noreturn)) static void ended(const child_t *child)
{
    int status = 0;

    waitpid(child->pid, &status, 0);
    fuzz_fail("%s has ended with %d by signal %d", child->script,
              WIFEXITED(status) ? WEXITSTATUS(status) : -1,
              WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void send_bytes(const child_t *child, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t sent =
            TEMP_FAILURE_RETRY(write(child->to, at, length)); /* libFuzzer has a timer */

        if (sent <= 0) {
            ended(child);
        }
        at += sent;
        length -= (size_t)sent;
    }
}

static void read_bytes(const child_t *child, void *bytes, size_t length)
{
    char *at = bytes;

    while (length > 0) {
        ssize_t got = TEMP_FAILURE_RETRY(read(child->from, at, length));

        if (got <= 0) {
            ended(child);
        }
        at += got;
        length -= (size_t)got;
    }
}

void fuzz_ask(fuzz_oracle_e oracle, char kind, const char *const *texts)
{
    child_t *child = &children[oracle];
    char answer[ANSWER_BYTES + 1] = "";
    unsigned char count = 0;
    uint32_t length = 0;

    if (child->state == NEW) {
        start(child);
    }
    if (child->state == ABSENT) {
        return;
    }
    while (texts[count]) {
        count++;
    }
    send_bytes(child, (const char[]){kind, (char)count}, 2);
    for (int i = 0; texts[i]; i++) {
        length = htonl((uint32_t)strlen(texts[i]));
        send_bytes(child, &length, sizeof length);
        send_bytes(child, texts[i], strlen(texts[i]));
    }
    read_bytes(child, &length, sizeof length);
    length = ntohl(length);
    FUZZ_CHECK(length <= ANSWER_BYTES, "%s talks too much", child->script);
    read_bytes(child, answer, length);
    FUZZ_CHECK(length == 0, "%s: %s", child->script, answer);
}
