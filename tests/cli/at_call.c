/* Loaded before libc (LD_PRELOAD), so that a test reaches any moment of a program's life without a clock: just before
 * the call of this number (from 1) of the functions below, something happens.
 *
 *   AT_CALL="N signal S..."   the process gets these signals, one right after the other
 *   AT_CALL="N touch"         the file that pread is about to read gets a new time of modification (only preads count)
 *   AT_CALL="N no-thread"     no thread can start, now or later (only pthread_create counts)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

/* Whether this call is the one; `*rest` is what follows the number and `word` then. */
static int is_the_call(const char* word, const char** rest) {
  const char* plan = getenv("AT_CALL");
  char* end;
  if (!plan) return 0;
  const long wanted = strtol(plan, &end, 10);
  while (*end == ' ') ++end;
  if (strncmp(end, word, strlen(word)) != 0) return 0;
  *rest = end + strlen(word);
  return atomic_fetch_add(&calls, 1) + 1 == wanted;
}

static void before_a_call(void) {
  const char* rest;
  if (!is_the_call("signal", &rest)) return;
  char* end;
  for (long s; (s = strtol(rest, &end, 10)) > 0; rest = end) raise((int)s);
}

#define NEXT(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t n) {
  before_a_call();
  return NEXT(write)(fd, data, n);
}
int fsync(int fd) {
  before_a_call();
  return NEXT(fsync)(fd);
}
int rename(const char* from, const char* to) {
  before_a_call();
  return NEXT(rename)(from, to);
}
int mkdir(const char* path, mode_t mode) {
  before_a_call();
  return NEXT(mkdir)(path, mode);
}
int unlink(const char* path) {
  before_a_call();
  return NEXT(unlink)(path);
}
int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = va_arg(list, mode_t); /* garbage, and not looked at, where there is none */
  va_end(list);
  before_a_call();
  return NEXT(open)(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = va_arg(list, mode_t);
  va_end(list);
  before_a_call();
  return NEXT(openat)(folder, path, flags, mode);
}
ssize_t pread(int fd, void* to, size_t n, off_t offset) {
  const char* rest;
  before_a_call();
  if (is_the_call("touch", &rest)) futimens(fd, (struct timespec[2]){{1, 0}, {1, 0}});
  return NEXT(pread)(fd, to, n, offset);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  static atomic_int none;
  const char* rest;
  if (is_the_call("no-thread", &rest)) none = 1;
  return none ? EAGAIN : NEXT(pthread_create)(thread, attributes, run, argument);
}
