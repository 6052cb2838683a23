/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c - the driver: reads requests from descriptor 0 and writes replies to descriptor 1, until the end of file. */

#include <unistd.h>

#include "fib.h"

int main(void)
{
	_exit(fib_open() < 0 ? FIB_EXIT_TABLE : fib_converse(0, 1));
}
