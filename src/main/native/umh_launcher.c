/* SPDX-License-Identifier: Apache-2.0 */
/* umh_launcher.c - keeps the launcher as a sealed memfd, and a few low descriptors in reserve. */

/*
 * A child shares the JVM's descriptor table and copies only the numbers below the highest that it needs (umh_clone.c).
 * The price of a spawn is therefore set by how low the launcher and the plan socket are. So at load time, while low
 * numbers are free, the launcher moves to the lowest of them, and some more numbers are filled with duplicates of it:
 * slots, each lent to one spawn at a time for its plan socket. When all slots are lent, a spawn uses its socket where
 * it is, which costs time and nothing else.
 *
 * None of these numbers is trusted: a child compares the launcher with what was noted here before it executes it, and
 * when others have closed that it is made again.
 */

/*
 * The image may stand anywhere in memory. To map it somewhere takes a page table at each level, which costs more than
 * all else about so small a program; so it is placed where it shares the stack's tables. A second image stands closer to
 * the stack than is safe for everybody: umh_clone.c says for whom.
 */

#include "umh_launcher.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "umh.h"
#include "umh_identity.h"
#include "umh_memfd.h"

#define SLOTS 4

static const struct umh_launcher none = {.fd = -1, .beside_stack = -1, .is = UMH_NO_IDENTITY, .beside_stack_is = UMH_NO_IDENTITY};
static _Atomic(const struct umh_launcher *) current = &none;

#define NAME "umh4j-launcher"

/* Of a file that is named by the property. */
#define LARGEST_FILE 65536

/* To make it again from; NULL where the launcher is a file. */
static struct {
	char *bytes;
	size_t size;
} image_kept;
static pthread_mutex_t repairing = PTHREAD_MUTEX_INITIALIZER;

/* A slot belongs to whoever has set its bit in lent; one without a number stays lent. */
static struct {
	atomic_int numbers[SLOTS];
	uint64_t are[SLOTS];
	atomic_uint lent;
} slots = {.numbers = {-1, -1, -1, -1}};

/* What the kernel reads of the image before anything else: launcher.ld makes one segment, and says what its stack may. */
struct headers {
	Elf64_Ehdr file;
	Elf64_Phdr text, stack;
};

static void place(struct headers *headers, uint64_t address)
{
	headers->file.e_entry += address - headers->text.p_vaddr;
	headers->text.p_vaddr = address;
	headers->text.p_paddr = address;
}

/* At another address than it was linked for, unless that is 0. */
static int open_image(const char *image, size_t size, uint64_t address)
{
	struct headers headers;
	struct umh_blob blob;
	int result = size < sizeof headers ? -ENOEXEC : umh_blob_open(NAME, &blob);

	if (result < 0)
		return result;
	memcpy(&headers, image, sizeof headers);
	if (address)
		place(&headers, address);
	result = umh_memfd_write(blob.fd, &headers, sizeof headers);
	if (result == 0)
		result = umh_memfd_write(blob.fd, image + sizeof headers, size - sizeof headers);
	if (result == 0)
		return umh_blob_seal(NAME, &blob);
	umh_blob_abandon(&blob);
	return result;
}

/*
 * Who gets hold of a launcher by /proc may write to its file if the JVM's own user may, and the next helper would be
 * that. So the file itself is executed only where nobody but another user, root usually, may write to it.
 */
static int open_file(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (syscall(__NR_fstat, fd, &status) == 0 && status.st_uid != geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH)) &&
	    faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
		return fd;
	close(fd);
	return -EACCES;
}

/* A duplicate at the lowest free number that is not the host's; the original is closed. */
static int move_low(int fd)
{
	int low = fcntl(fd, F_DUPFD_CLOEXEC, UMH_LOWEST_FD);
	int error = errno;

	close(fd);
	if (low < 0 && error == EINVAL)
		error = EMFILE; /* the limit itself is below that number */
	return low < 0 ? -error : low;
}

static int open_low(const char *image, size_t size, uint64_t address)
{
	int fd = size > 0 ? open_image(image, size, address) : open_file(image);

	return fd < 0 ? fd : move_low(fd);
}

/* One that is missing costs time and nothing else. */
static int open_beside_stack(const char *image, size_t size)
{
#ifdef UMH_BESIDE_STACK
	int fd = size > 0 ? open_low(image, size, UMH_BESIDE_STACK) : -1;

	return fd < 0 ? -1 : fd;
#else
	(void)image;
	(void)size;
	return -1;
#endif
}

/* Those that have no number get one. */
static void reserve_slots(const struct umh_launcher *launcher)
{
	for (int i = 0; i < SLOTS; i++) {
		if (slots.numbers[i] >= 0)
			continue;
		slots.numbers[i] = fcntl(launcher->fd, F_DUPFD_CLOEXEC, UMH_LOWEST_FD);
		slots.are[i] = launcher->is;
		if (slots.numbers[i] >= 0)
			atomic_fetch_and(&slots.lent, ~(1U << i));
	}
}

static int make_ready(const char *image, size_t size, const struct umh_launcher *before, int is_held)
{
	struct umh_launcher *made = malloc(sizeof *made);

	if (!made)
		return -ENOMEM;
	*made = *before;
	made->before = before;
	if (is_held || !umh_is(made->fd, made->is)) {
		made->fd = open_low(image, size, UMH_BELOW_STACK);
		made->is = umh_identity(made->fd);
	}
	if (made->fd < 0) {
		int result = made->fd;

		free(made);
		return result;
	}
	if (is_held || !umh_is(made->beside_stack, made->beside_stack_is)) {
		made->beside_stack = open_beside_stack(image, size);
		made->beside_stack_is = umh_identity(made->beside_stack);
	}
	reserve_slots(made);
	atomic_store(&current, made);
	return 0;
}

static int keep(const char *image, size_t size)
{
	if (size == 0)
		return -EINVAL;
	image_kept.bytes = malloc(size);
	if (!image_kept.bytes)
		return -ENOMEM;
	memcpy(image_kept.bytes, image, size);
	image_kept.size = size;
	return 0;
}

/* What a file's bytes are good for is a copy that nobody can write to. */
static int keep_file(const char *path)
{
	static char bytes[LARGEST_FILE];
	size_t size = 0;
	ssize_t more = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;

	if (fd < 0)
		return -errno;
	while (more > 0 && size < sizeof bytes) {
		more = read(fd, bytes + size, sizeof bytes - size);
		size += more > 0 ? (size_t)more : 0;
	}
	error = more < 0 ? errno : more > 0 ? EFBIG : 0;
	close(fd);
	return error ? -error : keep(bytes, size);
}

/* Where no copy may be executed, the file itself, if that is safe. */
static int make_ready_of_file(const char *path)
{
	int result = keep_file(path);

	if (result < 0)
		return result;
	result = make_ready(image_kept.bytes, image_kept.size, &none, 0);
	if (result != -EACCES && result != -EPERM && result != -ENOSYS)
		return result;
	free(image_kept.bytes);
	image_kept.bytes = NULL;
	return make_ready(path, 0, &none, 0);
}

int umh_launcher_load(const char *image, size_t size)
{
	int result;

	if (atomic_load(&current) != &none)
		return -EALREADY;
	atomic_store(&slots.lent, (1U << SLOTS) - 1);
	if (size == 0)
		return make_ready_of_file(image);
	result = keep(image, size);
	return result < 0 ? result : make_ready(image, size, &none, 0);
}

int umh_launcher_repair(const struct umh_launcher *useless, int is_held)
{
	int fds[] = {useless->fd, useless->beside_stack};
	int result = 0;

	pthread_mutex_lock(&repairing);
	if (atomic_load(&current) == useless) {
		result = image_kept.bytes ? make_ready(image_kept.bytes, image_kept.size, useless, is_held) : -EBADF;
		if (result == 0 && is_held) {
			/* A launch in another thread that still takes these notices, and is made again. */
			umh_close_own(&fds[0], useless->is);
			umh_close_own(&fds[1], useless->beside_stack_is);
		}
	}
	pthread_mutex_unlock(&repairing);
	return result;
}

const struct umh_launcher *umh_launcher(void)
{
	return atomic_load(&current);
}

int umh_slot_take(void)
{
	unsigned lent = atomic_load(&slots.lent);

	for (;;) {
		unsigned free = ~lent & ((1U << SLOTS) - 1);
		unsigned slot;

		if (free == 0)
			return -1;
		slot = (unsigned)__builtin_ctz(free);
		if (!atomic_compare_exchange_weak(&slots.lent, &lent, lent | 1U << slot))
			continue;
		if (umh_is(slots.numbers[slot], slots.are[slot]))
			return slots.numbers[slot];
		slots.numbers[slot] = -1; /* somebody else's by now */
		lent |= 1U << slot;
	}
}

static int index_of(int number)
{
	int i = 0;

	while (slots.numbers[i] != number)
		i++;
	return i;
}

static int duplicate(int fd, int number)
{
	int result;

	do
		result = dup3(fd, number, O_CLOEXEC);
	while (result < 0 && errno == EINTR);
	return result;
}

/* A slot that kept the child's end would keep the launch from being decided. */
void umh_slot_give(int number, uint64_t put_there)
{
	const struct umh_launcher *launcher = umh_launcher();
	const int slot = index_of(number);

	if (put_there != UMH_NO_IDENTITY) {
		if (!umh_is(number, put_there)) {
			slots.numbers[slot] = -1;
			return;
		}
		if (!umh_is(launcher->fd, launcher->is) || duplicate(launcher->fd, number) < 0) {
			close(number);
			slots.numbers[slot] = -1;
			return;
		}
		slots.are[slot] = launcher->is;
	}
	atomic_fetch_and(&slots.lent, ~(1U << slot));
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) void umh_launcher_unload(void)
{
	const struct umh_launcher *launcher = umh_launcher();

	for (int i = 0; i < SLOTS; i++) {
		int slot = slots.numbers[i];

		umh_close_own(&slot, slots.are[i]);
		slots.numbers[i] = -1;
	}
	while (launcher != &none) {
		struct umh_launcher last = *launcher;

		umh_close_own(&last.beside_stack, last.beside_stack_is);
		umh_close_own(&last.fd, last.is);
		free((void *)launcher);
		launcher = last.before;
	}
	atomic_store(&current, &none);
	free(image_kept.bytes);
	image_kept.bytes = NULL;
}
