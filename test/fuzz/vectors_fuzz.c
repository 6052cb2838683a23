/* SPDX-License-Identifier: Apache-2.0 */
/* vectors_fuzz.c - the bridge's reader of packed strings; counts and bytes need not match. */

#include <stdint.h>

#include "jni/bridge.c" /* for its static vectors() */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char **all;
	char *packed;
	int argc, envc;

	if (size < 2)
		return -1;
	argc = bytes[0];
	envc = bytes[1];
	size -= 2;
	packed = malloc(size ? size : 1); /* of the exact size, so that a read beyond it is found */
	memcpy(packed, bytes + 2, size);
	all = vectors((signed char *)packed, (int)size, argc, envc);
	if (all) {
		size_t used = 0;

		for (int i = 0; i <= argc; i++)
			used += strlen(all[i]) + 1;
		for (int i = 0; i < envc; i++)
			used += strlen(all[argc + 2 + i]) + 1;
		if (used > size || all[argc + 1] || all[argc + 2 + envc])
			abort();
	}
	free(all);
	free(packed);
	return 0;
}
