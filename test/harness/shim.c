/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim.c - shim and launcher without a JVM, for sanitizers: threads start helpers, wait, fail, and count what is left.
 */

/*
 * 	shim LAUNCHER ROUNDS
 *
 * In each round every thread runs each way of orders.c. Exits with 0 if all results were right and as many descriptors
 * are open as before. The launcher may be one with a sanitizer: stub.c executes it, because a copy of it would be too
 * large.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "orders.h"
#include "shim/pidfd.h"

#define THREADS 4

static atomic_int wrong;
static atomic_int made;

static void expect(const char *where, const char *what, long is, long wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "shim: %s: %s: %ld instead of %ld\n", where, what, is, wanted);
	atomic_fetch_add(&wrong, 1);
}

static void try(const struct way *way)
{
	struct order order;
	struct answer answer;

	order_begin(&order, way);
	answer = order_make(&order, way);
	order_end(&order);
	atomic_fetch_add(&made, 1);
	expect(way->name, "result", answer.result, way->result);
	if (way->result < 0)
		expect(way->name, "stage", answer.report.stage, way->stage);
	else
		expect(way->name, "status", answer.status, way->status);
}

/* A refusal by the host needs a tracer, and a disabled feature is disabled for all threads. */
static int is_tried(const struct way *way)
{
	return !way->refused_error && !way->without;
}

/* A process that has stopped itself is the helper and stays stopped, although its launch was not decided yet. */
static void try_stop(void)
{
	static const struct way way = {.name = "what stops", .manner = START};
	char *argv[] = {"/bin/sh", "sh", "-c", "kill -STOP $$", NULL};
	struct umh_report report;
	struct umh_child child;
	struct order order;
	siginfo_t info = {0};
	int status = 0;

	order_begin(&order, &way);
	order.request.path = argv[0];
	order.request.launcher_argv = argv;
	expect(way.name, "start", umh_start(&order.request, &child, &report), 0);
	order_end(&order);
	expect(way.name, "the stop", waitid(P_PID, (id_t)child.pid, &info, WSTOPPED | WNOWAIT), 0);
	expect(way.name, "look", umh_continue_if_stopped(&child), 0);
	expect(way.name, "times let go on", child.stop_count, 0);
	expect(way.name, "outcome", umh_wait_exec(&child, UMH_NONBLOCK, &report), 0);
	expect(way.name, "kill", umh_signal(&child, SIGKILL), 0);
	expect(way.name, "wait", umh_wait(&child, UMH_BLOCK, &status, NULL), 0);
	expect(way.name, "status", status, SIGKILL);
	umh_release(&child);
}

static void *work(void *rounds)
{
	for (int round = 0; round < *(int *)rounds; round++)
		for (unsigned i = 0; i < way_count; i++)
			if (is_tried(&ways[i]))
				try(&ways[i]);
	try_stop();
	return NULL;
}

static void run_threads(int rounds)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &rounds);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 10;
	int before;

	if (argc < 2 || load_launcher(argv[1]) < 0) {
		fprintf(stderr, "usage: shim LAUNCHER ROUNDS\n");
		return 2;
	}
	before = open_descriptors();
	run_threads(rounds);
	expect("all", "descriptors", open_descriptors(), before);
	expect("all", "children", waitpid(-1, NULL, WNOHANG), -1);
	printf("%d helpers in %d threads, %d wrong\n", made, THREADS, wrong);
	return wrong ? 1 : 0;
}
