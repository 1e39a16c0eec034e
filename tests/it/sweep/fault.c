/* Makes the system fail: preloaded into a program, it counts the calls that change files
 * below FAULT_UNDER, over all processes, and lets the call number FAULT_AT fail with the
 * error number FAULT_ERROR: that one alone, or with FAULT_LASTS all that follow too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static long *counter;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_COUNTER");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) return;
    void *shared = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED) counter = shared;
}

/* Whether the call about `path` is to fail. */
static int fails(const char *path) {
    const char *under = getenv("FAULT_UNDER");
    if (!counter || !under || strncmp(path, under, strlen(under)) != 0) return 0;
    long number = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    long at = atol(getenv("FAULT_AT"));
    if (number != at && !(getenv("FAULT_LASTS") && at > 0 && number > at)) return 0;
    errno = atoi(getenv("FAULT_ERROR"));
    return 1;
}

static int fails_at(int file) {
    char link[64], path[4096];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path);
}

static int fails_relative(const char *path) {
    char whole[8192];
    if (path[0] == '/') return fails(path);
    char here[4096];
    if (!getcwd(here, sizeof here)) return 0;
    snprintf(whole, sizeof whole, "%s/%s", here, path);
    return fails(whole);
}

#define REAL(name, ...) ((int (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                       \
    int name(const char *path, int flags, ...) {                         \
        va_list more;                                                    \
        va_start(more, flags);                                           \
        int mode = flags & O_CREAT ? va_arg(more, int) : 0;              \
        va_end(more);                                                    \
        if ((flags & O_ACCMODE) != O_RDONLY && fails_relative(path)) return -1; \
        return REAL(name, const char *, int, ...)(path, flags, mode);    \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int file, const void *bytes, size_t count) {
    if (fails_at(file)) return -1;
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(file, bytes, count);
}

int fsync(int file) { return fails_at(file) ? -1 : REAL(fsync, int)(file); }

int mkdir(const char *path, mode_t mode) {
    return fails_relative(path) ? -1 : REAL(mkdir, const char *, mode_t)(path, mode);
}

int rename(const char *from, const char *to) {
    return fails_relative(to) ? -1 : REAL(rename, const char *, const char *)(from, to);
}

int unlink(const char *path) { return fails_relative(path) ? -1 : REAL(unlink, const char *)(path); }

int rmdir(const char *path) { return fails_relative(path) ? -1 : REAL(rmdir, const char *)(path); }
