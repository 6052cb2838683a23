/* SPDX-License-Identifier: Apache-2.0 */
/* shim.c - the shim without a JVM, for sanitizers: several threads start, wait, fail, and count what is left. */

/*
 *	shim LAUNCHER ROUNDS
 *
 * Each round runs every row of the table below in every thread. Ends with 0 when all answers were right and as many
 * descriptors are open as before.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umh.h"

#define THREADS 4
#define LARGE   (UMH_PLAN_INLINE + 4096)
#define MANY    300 /* descriptors: more than fit into one message */

static atomic_int wrong;

static void expect(const char *what, long is, long wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "shim: %s: %ld instead of %ld\n", what, is, wanted);
	atomic_fetch_add(&wrong, 1);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

struct row {
	const char *path;
	const char *argument;
	unsigned fd_count;
	uint32_t plan_size;
	int result; /* of the start and its outcome */
	int stage;
	int status;
};

static const struct row rows[] = {
	{"/bin/true", NULL, 0, sizeof(struct umh_plan), 0, 0, 0},
	{"/bin/false", NULL, 0, sizeof(struct umh_plan), 0, 0, 1 << 8},
	{"/bin/true", NULL, MANY, LARGE, 0, 0, 0},
	{"/no/such", NULL, 0, sizeof(struct umh_plan), -ENOENT, UMH_STAGE_EXEC, 0},
	{"/bin", NULL, 3, sizeof(struct umh_plan) + 64, -EACCES, UMH_STAGE_EXEC, 0},
};

/* A plan that asks for nothing but the descriptors. */
static struct umh_plan *plan_of(const struct row *row)
{
	const uint32_t files = row->fd_count * (uint32_t)sizeof(struct umh_file);
	const uint32_t least = (uint32_t)sizeof(struct umh_plan) + files;
	const uint32_t size = row->plan_size > least ? row->plan_size : least;
	struct umh_plan *plan = calloc(1, size);
	struct umh_file *file = (void *)(plan + 1);

	plan->magic = UMH_PLAN_MAGIC;
	plan->size = size;
	plan->program = UMH_NO_FILE;
	plan->terminal = UMH_NO_FILE;
	plan->cgroup = UMH_NO_FILE;
	plan->steps = plan->required = row->fd_count > 0 ? UMH_STEP(DESCRIPTORS) : 0;
	if (row->fd_count > 0)
		plan->files = (struct umh_span){sizeof *plan, files};
	for (unsigned i = 0; i < row->fd_count; i++)
		file[i].target = i;
	return plan;
}

static void try(const struct row *row)
{
	char *argv[] = {(char *)row->path, (char *)row->path, (char *)row->argument, NULL};
	char *envp[] = {NULL};
	int fds[MANY] = {0};
	struct umh_request request = {
		.path = row->path,
		.launcher_argv = argv,
		.envp = envp,
		.plan = plan_of(row),
		.fds = fds,
		.fd_count = row->fd_count,
		.cgroup = -1,
	};
	struct umh_report report = {0};
	struct umh_child child;
	int status = 0;
	int pid = -1;
	int result = umh_start(&request, &child, &report);

	if (result == 0)
		result = umh_outcome(&child, UMH_BLOCK, &report);
	expect("start", result, row->result);
	if (result == 0) {
		struct umh_usage usage;

		expect("wait", umh_wait(child.pidfd, UMH_BLOCK, &status, &usage), 0);
		expect("status", status, row->status);
		expect("signal", umh_signal(child.pidfd, 0), -ESRCH);
	} else {
		expect("stage", report.stage, row->stage);
	}
	umh_release(&child);
	result = umh_run(&request, &pid, &report, &status);
	expect("run", result, row->result);
	if (result == 0)
		expect("status of run", status, row->status);
	free(request.plan);
}

static void *work(void *rounds)
{
	for (int round = 0; round < *(int *)rounds; round++)
		for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
			try(&rows[i]);
	return NULL;
}

static int load(const char *path)
{
	struct stat found;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *image;
	int result;

	if (fd < 0 || fstat(fd, &found) < 0)
		return -errno;
	image = malloc((size_t)found.st_size);
	result = read(fd, image, (size_t)found.st_size) == found.st_size ? umh_load(image, (size_t)found.st_size) : -EIO;
	free(image);
	close(fd);
	return result;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int rounds = argc > 2 ? atoi(argv[2]) : 10;
	int before;

	if (argc < 2 || load(argv[1]) < 0) {
		fprintf(stderr, "usage: shim LAUNCHER ROUNDS\n");
		return 2;
	}
	before = open_descriptors();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &rounds);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect("descriptors", open_descriptors(), before);
	expect("children", waitpid(-1, NULL, WNOHANG), -1);
	printf("shim: %d threads, %d rounds of %zu rows, %d wrong\n", THREADS, rounds, sizeof rows / sizeof *rows, wrong);
	return wrong ? 1 : 0;
}
