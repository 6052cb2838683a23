/* SPDX-License-Identifier: Apache-2.0 */
/* crash.c - a library that ends its process: by a fault, or with -DABORT by abort(3). */

#include <stdlib.h>

__attribute__((constructor)) static void crash(void)
{
#ifdef ABORT
	abort();
#else
	*(volatile int *)8 = 0;
#endif
}
