/* A disk that fails on demand, for a daemon that runs as it always does: writes to its journal find
 * no room, or its flushes fail, as the first byte of the file FAULTS says ('f', 's', or neither). With
 * KILL_AT the process is killed when it comes to its write or flush of that number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char fault(void) {
    char byte = '-';
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        if (read(fd, &byte, 1) != 1) byte = '-';
        close(fd);
    }
    return byte;
}

static void count(void) {
    static atomic_ulong calls;
    const char *at = getenv("KILL_AT");
    if (at && atomic_fetch_add(&calls, 1) + 1 == strtoul(at, NULL, 10)) kill(getpid(), SIGKILL);
}

static int hits(int fd, char kind) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strstr(path, "/journal.db") == NULL) return 0;
    count();
    return fault() == kind;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (hits(fd, 'f')) { errno = ENOSPC; return -1; }
    return syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    if (hits(fd, 'f')) { errno = ENOSPC; return -1; }
    return syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return pwrite(fd, bytes, count, at);
}

int fsync(int fd) {
    if (hits(fd, 's')) { errno = EIO; return -1; }
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    if (hits(fd, 's')) { errno = EIO; return -1; }
    return syscall(SYS_fdatasync, fd);
}
