// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** A process handle that can open a pidfd of exactly its process. */
public interface PidfdSource {
    /** Opens a pidfd, which {@code opened} closes. Returns {@code -ESRCH} if the process has been reaped. */
    int openPidfd(OpenedFiles opened);
}
