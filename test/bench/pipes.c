/* SPDX-License-Identifier: Apache-2.0 */
/* pipes.c - two C processes that talk over two pipes: the comparison for a driver and its JVM. */

#include <errno.h>
#include <jni.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct echo {
	pid_t pid;
	int to;
	int from;
};

static int start(JNIEnv *env, jbyteArray path, struct echo *echo)
{
	char program[PATH_MAX] = {0};
	char *const argv[] = {program, NULL};
	int in[2], out[2];

	(*env)->GetByteArrayRegion(env, path, 0, (*env)->GetArrayLength(env, path), (jbyte *)program);
	if (pipe(in) < 0 || pipe(out) < 0)
		return -errno;
	echo->pid = vfork();
	if (echo->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execv(program, argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	echo->to = in[1];
	echo->from = out[0];
	return echo->pid < 0 ? -errno : 0;
}

static void end(const struct echo *echo)
{
	close(echo->to);
	close(echo->from);
	waitpid(echo->pid, NULL, 0);
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

struct pump {
	int fd;
	long long bytes;
	size_t chunk;
};

static void *pump_in(void *argument)
{
	const struct pump *pump = argument;
	char *block = calloc(1, pump->chunk);

	for (long long left = pump->bytes; block && left > 0;) {
		ssize_t size = write(pump->fd, block, pump->chunk);

		if (size <= 0)
			break;
		left -= size;
	}
	free(block);
	return NULL;
}

/* So many bytes there and back, written by one thread and read by another: nanoseconds. */
JNIEXPORT jlong JNICALL Java_org_umh4j_bench_Pipes_through(JNIEnv *env, jclass class, jbyteArray path, jlong bytes,
							   jint chunk)
{
	struct echo echo;
	struct pump pump = {.bytes = bytes, .chunk = (size_t)chunk};
	char *block = malloc((size_t)chunk);
	pthread_t writer;
	long long begin;

	(void)class;
	if (!block || start(env, path, &echo) < 0)
		return -1;
	pump.fd = echo.to;
	begin = now();
	if (pthread_create(&writer, NULL, pump_in, &pump))
		return -1;
	for (long long left = bytes; left > 0;) {
		ssize_t size = read(echo.from, block, (size_t)chunk);

		if (size <= 0)
			return -1;
		left -= size;
	}
	begin = now() - begin;
	pthread_join(writer, NULL);
	end(&echo);
	free(block);
	return begin;
}

/* One message after the other, each followed by its reply: nanoseconds for all. */
JNIEXPORT jlong JNICALL Java_org_umh4j_bench_Pipes_pingPong(JNIEnv *env, jclass class, jbyteArray path, jint times,
							    jint size)
{
	struct echo echo;
	char *block = calloc(1, (size_t)size);
	long long begin;

	(void)class;
	if (!block || start(env, path, &echo) < 0)
		return -1;
	begin = now();
	for (jint i = 0; i < times; i++) {
		if (write(echo.to, block, (size_t)size) != size)
			return -1;
		for (jint left = size; left > 0;) {
			ssize_t got = read(echo.from, block, (size_t)left);

			if (got <= 0)
				return -1;
			left -= (jint)got;
		}
	}
	begin = now() - begin;
	end(&echo);
	free(block);
	return begin;
}
