/* SPDX-License-Identifier: Apache-2.0 */
/* umh_launcher.c - keeps the launcher as a sealed memfd, and a few low descriptors in reserve. */

/*
 * A child shares the JVM's descriptor table and copies only the numbers below the highest that it needs (umh_clone.c).
 * The price of a spawn is therefore set by how low the launcher and the plan socket are. So at load time, while low
 * numbers are free, the launcher moves to the lowest of them, and some more numbers are filled with duplicates of it:
 * slots, each lent to one spawn at a time for its plan socket. When all slots are lent, a spawn uses its socket where
 * it is, which costs time and nothing else.
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
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "umh_machine.h"
#include "umh_memfd.h"

/* 0 to 2 are the host's, whether it keeps them open or not; 3 and 4 are the child's (umh_clone.c). */
#define LOWEST 5
#define SLOTS  4

static struct {
	int fd;
	int beside_stack; /* -1 where there is none */
	atomic_int slots[SLOTS];
	atomic_uint lent; /* one bit a slot */
} launcher = {.fd = -1, .beside_stack = -1, .slots = {-1, -1, -1, -1}};

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
	int fd = size < sizeof headers ? -ENOEXEC : umh_memfd_make("umh4j-launcher");
	int result;

	if (fd < 0)
		return fd;
	memcpy(&headers, image, sizeof headers);
	if (address)
		place(&headers, address);
	result = umh_memfd_write(fd, &headers, sizeof headers);
	if (result == 0)
		result = umh_memfd_write(fd, image + sizeof headers, size - sizeof headers);
	if (result == 0)
		result = umh_memfd_seal(fd);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* A duplicate at the lowest free number that is not the host's; the original is closed. */
static int move_low(int fd)
{
	int low = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
	int error = errno;

	close(fd);
	if (low < 0 && error == EINVAL)
		error = EMFILE; /* the limit itself is below that number */
	return low < 0 ? -error : low;
}

static void reserve_slots(void)
{
	for (int i = 0; i < SLOTS; i++) {
		launcher.slots[i] = fcntl(launcher.fd, F_DUPFD_CLOEXEC, LOWEST);
		if (launcher.slots[i] < 0)
			atomic_fetch_or(&launcher.lent, 1U << i); /* never to be lent */
	}
}

/* One that is missing costs time and nothing else. */
static void load_beside_stack(const char *image, size_t size)
{
#ifdef UMH_BESIDE_STACK
	int fd = open_image(image, size, UMH_BESIDE_STACK);

	launcher.beside_stack = fd < 0 ? -1 : move_low(fd);
#else
	(void)image;
	(void)size;
#endif
}

int umh_launcher_load(const char *image, size_t size)
{
	int fd;

	if (launcher.fd >= 0)
		return -EALREADY;
	fd = size > 0 ? open_image(image, size, UMH_BELOW_STACK) : open_file(image);
	if (fd >= 0)
		fd = move_low(fd);
	if (fd < 0)
		return fd;
	launcher.fd = fd;
	if (size > 0)
		load_beside_stack(image, size);
	reserve_slots();
	return 0;
}

int umh_launcher_fd(void)
{
	return launcher.fd;
}

int umh_launcher_beside_stack(void)
{
	return launcher.beside_stack;
}

int umh_slot_take(void)
{
	unsigned lent = atomic_load(&launcher.lent);

	for (;;) {
		unsigned free = ~lent & ((1U << SLOTS) - 1);
		unsigned slot;

		if (free == 0)
			return -1;
		slot = (unsigned)__builtin_ctz(free);
		if (atomic_compare_exchange_weak(&launcher.lent, &lent, lent | 1U << slot))
			return launcher.slots[slot];
	}
}

void umh_slot_give(int number)
{
	for (int i = 0; i < SLOTS; i++)
		if (launcher.slots[i] == number)
			atomic_fetch_and(&launcher.lent, ~(1U << i));
}

/* Its number may be anybody's by now: it stays lent. */
void umh_slot_lose(int number)
{
	for (int i = 0; i < SLOTS; i++)
		if (launcher.slots[i] == number)
			launcher.slots[i] = -1;
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) void umh_launcher_unload(void)
{
	for (int i = 0; i < SLOTS; i++) {
		if (launcher.slots[i] >= 0)
			close(launcher.slots[i]);
		launcher.slots[i] = -1;
	}
	if (launcher.beside_stack >= 0)
		close(launcher.beside_stack);
	if (launcher.fd >= 0)
		close(launcher.fd);
	launcher.beside_stack = launcher.fd = -1;
}
