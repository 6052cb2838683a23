/* SPDX-License-Identifier: Apache-2.0 */
/* epoll.c - the epoll of the reaper thread, which waits for all helpers. */

#include "shim/epoll.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/features.h"
#include "shim/launch_monitor.h"

#define BATCH 128

#define WAKE UINT64_MAX /* not the token of a watch */

/*
 * No code reads from or writes to these two sockets. One is watched for room to write, which it always has, to end a
 * wait; the other for input, which it never has. All epolls share an inode, but only this one has these sockets:
 * epoll_ctl(2) for the second one shows whether the number still refers to this epoll, and does nothing to another
 * file.
 */
static struct {
	int epoll;
	int wake;
	int quiet;
	uint64_t wake_identity;
	uint64_t quiet_identity;
} watched = {-1, -1, -1, UMH_NO_IDENTITY, UMH_NO_IDENTITY};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned generation; /* how often it was created */
static uint64_t anonymous;

uint64_t umh_anon_inode_identity(void)
{
	return anonymous;
}

static int control(int operation, int fd, uint32_t events, uint64_t token)
{
	struct epoll_event watch = {.events = events, .data.u64 = token};

	return epoll_ctl(watched.epoll, operation, fd, &watch) < 0 ? -errno : 0;
}

/* Closes numbers only if they still refer to these files; the epoll's can't be verified without its sockets. */
static void release(int is_ours)
{
	if (is_ours)
		close(watched.epoll);
	watched.epoll = -1;
	umh_close_if_same(&watched.wake, watched.wake_identity);
	umh_close_if_same(&watched.quiet, watched.quiet_identity);
}

static int create(void)
{
	int pair[2];
	int result;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	watched.wake = pair[0];
	watched.quiet = pair[1];
	watched.wake_identity = umh_file_identity(pair[0]);
	watched.quiet_identity = umh_file_identity(pair[1]);
	watched.epoll = epoll_create1(EPOLL_CLOEXEC);
	result = watched.epoll < 0 ? -errno : control(EPOLL_CTL_ADD, watched.wake, EPOLLONESHOT, WAKE);
	if (result == 0)
		result = control(EPOLL_CTL_ADD, watched.quiet, EPOLLIN, WAKE);
	if (result < 0) {
		release(watched.epoll >= 0);
		return result;
	}
	generation++;
	return 0;
}

static int is_disabled(void)
{
	return !(umh_features() & UMH_FEATURE_EPOLL);
}

/* A filter may refuse epoll: then the caller checks every descriptor from time to time. */
static int disable_if_refused(int result)
{
	if (result != -EPERM && result != -ENOSYS)
		return result;
	umh_disable_features(UMH_FEATURE_EPOLL);
	return 0;
}

int umh_epoll_load(void)
{
	int result = is_disabled() ? 0 : create();

	anonymous = umh_file_identity(watched.epoll);
	return disable_if_refused(result);
}

/* If the system call is refused, the epoll counts as valid: otherwise the old one would stay open. */
static int is_ours(void)
{
	int result;

	if (!umh_is_same_file(watched.quiet, watched.quiet_identity))
		return 0;
	result = control(EPOLL_CTL_MOD, watched.quiet, EPOLLIN, WAKE);
	return result != -EBADF && result != -EINVAL && result != -ENOENT;
}

/* Takes the lock unless it fails. Then the epoll is valid, or was created again. */
static int lock_ours(void)
{
	int result = 0;

	if (is_disabled())
		return -ENOSYS;
	pthread_mutex_lock(&lock);
	if (!is_ours()) {
		release(0);
		result = create();
	}
	if (result < 0)
		pthread_mutex_unlock(&lock);
	return result;
}

/*
 * Writes nothing, whatever files these numbers refer to. If the epoll was created again, the current wait ends by
 * itself.
 */
int umh_epoll_wake(void)
{
	int result = lock_ours();

	if (result < 0)
		return is_disabled() ? 0 : result;
	result = umh_is_same_file(watched.wake, watched.wake_identity)
			 ? control(EPOLL_CTL_MOD, watched.wake, EPOLLOUT | EPOLLONESHOT, WAKE)
			 : -EBADF;
	pthread_mutex_unlock(&lock);
	return result;
}

/*
 * A hang-up is always reported, and no other event of a plan socket is watched: reports cause no wake-up. EPOLLONESHOT:
 * if another library's fork keeps the file open, an old event must not be reported again and again. A descriptor that
 * has fired stays registered and is watched again.
 */
int umh_epoll_watch(int fd, enum umh_event event, unsigned long long token)
{
	static const uint32_t events[] = {
		[UMH_HANG_UP] = 0,
		[UMH_EXIT] = EPOLLIN,
		[UMH_READABLE] = EPOLLIN,
		[UMH_WRITABLE] = EPOLLOUT,
	};
	const int is_pipe = event == UMH_READABLE || event == UMH_WRITABLE; /* these are watched repeatedly */
	int result = lock_ours();

	if (result < 0)
		return is_disabled() ? 0 : result;
	result = control(is_pipe ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, EPOLLONESHOT | events[event], token);
	if (result == -EEXIST || result == -ENOENT)
		result = control(is_pipe ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, EPOLLONESHOT | events[event], token);
	pthread_mutex_unlock(&lock);
	return result;
}

/* The one thread that calls this learns of each creation but the first. A wait uses the same epoll to its end. */
int umh_epoll_wait(unsigned long long *tokens, int capacity, int timeout_ms)
{
	static _Atomic unsigned known_generation = 1;
	struct epoll_event events[BATCH];
	int tokens_found = 0;
	int count = lock_ours();
	int epoll = watched.epoll;

	if (count < 0)
		return count;
	count = generation == known_generation ? 0 : -ESTALE;
	known_generation = generation;
	pthread_mutex_unlock(&lock);
	if (count < 0)
		return count;
	count = epoll_wait(epoll, events, capacity < BATCH ? capacity : BATCH, umh_monitor_check(timeout_ms));
	if (count < 0 && errno == EINTR)
		return 0; /* the number must be verified before the next wait */
	for (int i = 0; i < count; i++)
		if (events[i].data.u64 != WAKE)
			tokens[tokens_found++] = events[i].data.u64;
	if (count < 0 && disable_if_refused(-errno) == 0)
		return -ENOSYS;
	return count < 0 ? -errno : tokens_found;
}

/* The library is unloaded together with its class loader. */
__attribute__((destructor)) void umh_epoll_unload(void)
{
	release(watched.epoll >= 0 && is_ours());
}
