/*
 * To be preloaded into a process: file operations below FAULTY_FOLDER fail as the file FAULTY_CONTROL says,
 * which holds an operation (`write`, `sync` or `open`) and the number of an error, or nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_below(const char *path) {
  const char *folder = getenv("FAULTY_FOLDER");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_faulty_file(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

/* The error that an operation is to fail with; 0 for none. */
static int fault_of(const char *operation) {
  char told[16] = "";
  int number = 0;
  const char *control = getenv("FAULTY_CONTROL");
  FILE *file = control == NULL ? NULL : fopen(control, "re");
  if (file == NULL) return 0;
  if (fscanf(file, "%15s %d", told, &number) != 2) number = 0;
  fclose(file);
  /* What cannot be opened for writing cannot be written either. */
  int matches = strcmp(told, operation) == 0 ||
                (strcmp(told, "open") == 0 && strcmp(operation, "write") == 0);
  return matches ? number : 0;
}

#define FAIL_IF_FAULTY(operation, fd)                        \
  do {                                                       \
    int fault = is_faulty_file(fd) ? fault_of(operation) : 0; \
    if (fault != 0) {                                        \
      errno = fault;                                         \
      return -1;                                             \
    }                                                        \
  } while (0)

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
  FAIL_IF_FAULTY("write", fd);
  return REAL(write)(fd, bytes, count);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  FAIL_IF_FAULTY("write", fd);
  return REAL(writev)(fd, parts, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  FAIL_IF_FAULTY("write", fd);
  return REAL(pwrite)(fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  FAIL_IF_FAULTY("write", fd);
  return REAL(pwrite64)(fd, bytes, count, at);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  FAIL_IF_FAULTY("write", fd);
  return REAL(pwritev)(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  FAIL_IF_FAULTY("write", fd);
  return REAL(pwritev64)(fd, parts, count, at);
}
int fsync(int fd) {
  FAIL_IF_FAULTY("sync", fd);
  return REAL(fsync)(fd);
}
int fdatasync(int fd) {
  FAIL_IF_FAULTY("sync", fd);
  return REAL(fdatasync)(fd);
}

#define OPEN(name)                                                     \
  int name(const char *path, int flags, ...) {                         \
    mode_t mode = 0;                                                   \
    if (flags & (O_CREAT | O_TMPFILE)) {                               \
      va_list rest;                                                    \
      va_start(rest, flags);                                           \
      mode = va_arg(rest, mode_t);                                     \
      va_end(rest);                                                    \
    }                                                                  \
    if ((flags & O_ACCMODE) != O_RDONLY && is_below(path)) {           \
      int fault = fault_of("open");                                    \
      if (fault != 0) {                                                \
        errno = fault;                                                 \
        return -1;                                                     \
      }                                                                \
    }                                                                  \
    return REAL(name)(path, flags, mode);                              \
  }
OPEN(open)
OPEN(open64)
