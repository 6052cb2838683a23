/* SPDX-License-Identifier: Apache-2.0 */
/* pipes.c - the JVM's ends of the pipes to its helpers, which never block. */

/*
 * A pipe is open as long as its helper runs, and other code may close it meanwhile: each call passes the identity of
 * the file, and returns -EBADF if the number refers to another file.
 */

#include "jni/bridge.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/epoll.h"
#include "shim/pidfd.h"

/* The capacity of a pipe. The buffer is on the stack, so that a sleeping helper uses no memory for it. */
#define CHUNK 65536

int umh_bridge_pipe(int *fds)
{
	return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
}

/* The two ends are two open files: the helper's end stays blocking, as programs expect. */
int umh_bridge_set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int umh_bridge_available(int fd, long long identity)
{
	int available = 0;

	if (!umh_is_same_file(fd, (uint64_t)identity))
		return -EBADF;
	return ioctl(fd, FIONREAD, &available) < 0 ? -errno : available;
}

/* Returns 1 if the descriptor is ready or hung up, 0 after the timeout. */
int umh_bridge_poll(int fd, int event, int timeout_ms)
{
	struct pollfd one = {.fd = fd, .events = event == UMH_READABLE ? POLLIN : POLLOUT};
	int result = umh_poll(&one, 1, timeout_ms);

	return result < 0 && errno != EINTR ? -errno : result > 0;
}

static int was_interrupted(ssize_t result)
{
	return result < 0 && errno == EINTR;
}

static int at_most_chunk(int length)
{
	return length < CHUNK ? length : CHUNK;
}

int umh_bridge_read(JNIEnv *env, int fd, long long identity, jbyteArray bytes, int offset, int length)
{
	jbyte chunk[CHUNK];
	ssize_t size;

	if (!umh_is_same_file(fd, (uint64_t)identity))
		return -EBADF;
	do
		size = read(fd, chunk, (size_t)at_most_chunk(length));
	while (was_interrupted(size));
	if (size < 0)
		return -errno;
	(*env)->SetByteArrayRegion(env, bytes, offset, (jsize)size, chunk);
	return (int)size;
}

int umh_bridge_write(JNIEnv *env, int fd, long long identity, jbyteArray bytes, int offset, int length)
{
	jbyte chunk[CHUNK];
	ssize_t size;

	if (!umh_is_same_file(fd, (uint64_t)identity))
		return -EBADF;
	(*env)->GetByteArrayRegion(env, bytes, offset, at_most_chunk(length), chunk);
	do
		size = write(fd, chunk, (size_t)at_most_chunk(length));
	while (was_interrupted(size));
	return size < 0 ? -errno : (int)size;
}

int umh_bridge_read_direct(JNIEnv *env, int fd, long long identity, jobject buffer, int offset, int length)
{
	char *bytes = (*env)->GetDirectBufferAddress(env, buffer);
	ssize_t size;

	if (!bytes)
		return -EFAULT;
	if (!umh_is_same_file(fd, (uint64_t)identity))
		return -EBADF;
	do
		size = read(fd, bytes + offset, (size_t)length);
	while (was_interrupted(size));
	return size < 0 ? -errno : (int)size;
}

int umh_bridge_write_direct(JNIEnv *env, int fd, long long identity, jobject buffer, int offset, int length)
{
	const char *bytes = (*env)->GetDirectBufferAddress(env, buffer);
	ssize_t size;

	if (!bytes)
		return -EFAULT;
	if (!umh_is_same_file(fd, (uint64_t)identity))
		return -EBADF;
	do
		size = write(fd, bytes + offset, (size_t)length);
	while (was_interrupted(size));
	return size < 0 ? -errno : (int)size;
}
