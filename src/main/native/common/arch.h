/* SPDX-License-Identifier: Apache-2.0 */
/* arch.h - the architecture-dependent lines: system calls, program entry, a child on a separate stack. */
#ifndef UMH_ARCH_H
#define UMH_ARCH_H

/*
 * Everything that differs between architectures is in this file. A new architecture needs one more branch, which
 * defines
 *
 * 	umh_syscall6()	one system call; returns the kernel's result, a negative errno on failure
 * 	UMH_ENTRY(f)	the entry of a static program without libc: calls f(initial stack pointer)
 * 	umh_clone3()	clone3(2), and
 * 	umh_clone()	clone(2); in the child both call child(arg) on the new stack, in the parent they return the pid
 *
 * The last two may be used with CLONE_VM: the child does not touch the caller's frame.
 *
 * A branch may define addresses where the launcher needs no page tables but the stack's:
 *
 * 	UMH_BELOW_STACK	within a few levels of all possible stacks, and below all of them
 * 	UMH_NEAR_STACK	in the last-level table of a small stack whose address the kernel has not randomized
 */

#include <stddef.h>
#include <linux/sched.h>
#include <asm/unistd.h>

typedef void umh_child_fn(void *arg); /* never returns */

#if defined(__x86_64__)

#if defined(__clang_analyzer__)
/* An analyzer assumes that assembly writes nothing. This function may write through each pointer that it receives. */
long umh_syscall6(long number, long a, long b, long c, long d, long e, long f);
#else
static inline __attribute__((always_inline)) long
umh_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#endif

/* A stack ends up to 16 GiB below 2^47 less a page. The tables span 512 GiB, 1 GiB and 2 MiB. */
#define UMH_BELOW_STACK UINT64_C(0x7f8000000000)
#define UMH_NEAR_STACK  UINT64_C(0x7fffffe00000)

/* At entry the argument count is on top of the stack, and the stack is aligned to 16 bytes. */
#define UMH_ENTRY(function)                 \
	__asm__(".pushsection .text\n"      \
		".globl _start\n"           \
		".type _start, @function\n" \
		"_start:\n\t"               \
		"xor %ebp, %ebp\n\t"        \
		"mov %rsp, %rdi\n\t"        \
		"call " #function "\n\t"    \
		"hlt\n"                     \
		".popsection")

/* Zero in rax: this is the child, on the new stack. A null frame pointer ends every backtrace there. */
#define UMH_CHILD_ENTRY         \
	"syscall\n\t"           \
	"test %%rax, %%rax\n\t" \
	"jnz 1f\n\t"            \
	"xor %%ebp, %%ebp\n\t"  \
	"mov %[arg], %%rdi\n\t" \
	"call *%[child]\n\t"    \
	"hlt\n"                 \
	"1:"

static inline __attribute__((always_inline)) long
umh_clone3(struct clone_args *args, size_t size, umh_child_fn *child, void *arg)
{
	long result;
	register void *r12 __asm__("r12") = (void *)child;
	register void *r13 __asm__("r13") = arg;

	__asm__ volatile(UMH_CHILD_ENTRY
			 : "=a"(result)
			 : "a"(__NR_clone3), "D"(args), "S"(size), [child] "r"(r12), [arg] "r"(r13)
			 : "rcx", "r11", "memory");
	return result;
}

static inline __attribute__((always_inline)) long
umh_clone(unsigned long flags, void *stack_top, int *pidfd, umh_child_fn *child, void *arg)
{
	long result;
	register void *r12 __asm__("r12") = (void *)child;
	register void *r13 __asm__("r13") = arg;
	register long r10 __asm__("r10") = 0; /* child_tid */
	register long r8 __asm__("r8") = 0;   /* tls */

	__asm__ volatile(UMH_CHILD_ENTRY
			 : "=a"(result)
			 : "a"(__NR_clone), "D"(flags), "S"(stack_top), "d"(pidfd), "r"(r10),
			   "r"(r8), [child] "r"(r12), [arg] "r"(r13)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

static inline __attribute__((always_inline)) long
umh_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

/* As above. There is neither a frame nor a caller: both registers end every backtrace. */
#define UMH_ENTRY(function)                 \
	__asm__(".pushsection .text\n"      \
		".globl _start\n"           \
		".type _start, %function\n" \
		"_start:\n\t"               \
		"mov x29, #0\n\t"           \
		"mov x30, #0\n\t"           \
		"mov x0, sp\n\t"            \
		"bl " #function "\n\t"      \
		"brk #1\n"                  \
		".popsection")

#define UMH_CHILD_ENTRY      \
	"svc #0\n\t"         \
	"cbnz x0, 1f\n\t"    \
	"mov x29, #0\n\t"    \
	"mov x0, %[arg]\n\t" \
	"blr %[child]\n\t"   \
	"brk #1\n"           \
	"1:"

static inline __attribute__((always_inline)) long
umh_clone3(struct clone_args *args, size_t size, umh_child_fn *child, void *arg)
{
	register long x8 __asm__("x8") = __NR_clone3;
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = (long)size;

	__asm__ volatile(UMH_CHILD_ENTRY
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), [child] "r"(child), [arg] "r"(arg)
			 : "x30", "memory");
	return x0;
}

static inline __attribute__((always_inline)) long
umh_clone(unsigned long flags, void *stack_top, int *pidfd, umh_child_fn *child, void *arg)
{
	register long x8 __asm__("x8") = __NR_clone;
	register long x0 __asm__("x0") = (long)flags;
	register long x1 __asm__("x1") = (long)stack_top;
	register long x2 __asm__("x2") = (long)pidfd;
	register long x3 __asm__("x3") = 0; /* tls: on this architecture it precedes child_tid */
	register long x4 __asm__("x4") = 0; /* child_tid */

	__asm__ volatile(UMH_CHILD_ENTRY
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [child] "r"(child), [arg] "r"(arg)
			 : "x30", "memory");
	return x0;
}

#else
#error "umh4j: no arch.h branch for this architecture yet"
#endif

#ifndef UMH_BELOW_STACK
#define UMH_BELOW_STACK 0 /* the address that the launcher was linked for */
#endif

/* umh_syscall(number, up to six arguments): arguments that are left out are zero. */
#define umh_syscall(...) umh_syscall_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define umh_syscall_(number, a, b, c, d, e, f, ...) \
	umh_syscall6((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
