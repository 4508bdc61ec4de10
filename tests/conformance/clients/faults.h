/* A system that makes everything hard: read before the system's headers by a build of alight-query for the tests.
 * Every call is first interrupted, then told to try again, then moves a single octet (three, where it sends much). */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static int mood;

static int refuses(void) {
    mood++;
    errno = mood % 3 == 1 ? EINTR : EAGAIN;
    return mood % 3 != 0;
}

static ssize_t hard_read(int descriptor, void *target, size_t size) {
    /* What is no socket never asks to try again. */
    int type;
    socklen_t length = sizeof type;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
        return read(descriptor, target, size);
    return refuses() ? -1 : read(descriptor, target, 1);
}

static ssize_t hard_write(int descriptor, const void *data, size_t size) {
    return refuses() ? -1 : write(descriptor, data, size < 300 ? 1 : 3);
}

static int hard_poll(struct pollfd *waited, nfds_t count, int timeout) {
    if (refuses())
        return -1;
    return poll(waited, count, timeout < 10 ? timeout : 10);
}

static int hard_connect(int descriptor, const struct sockaddr *address, socklen_t size) {
    return refuses() ? -1 : connect(descriptor, address, size);
}

#define read hard_read
#define write hard_write
#define poll hard_poll
#define connect hard_connect
