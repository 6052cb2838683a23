// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** A process handle that can open a pidfd of exactly its process. */
public interface PidfdSource {
    /** The descriptor, which {@code opened} will close, or {@code -ESRCH} once the process has been reaped. */
    int openPidfd(OpenedFiles opened);
}
