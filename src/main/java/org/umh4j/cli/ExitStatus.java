// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import org.umh4j.UmhException;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/** The exit status of umh for the result of a program, as {@code env(1)}, {@code timeout(1)} and shells define it. */
final class ExitStatus {
    static final int TIMED_OUT = 124;
    static final int NOT_EXECUTABLE = 126;
    static final int NOT_FOUND = 127;

    private ExitStatus() {}

    static int of(WaitStatus status) {
        return status.lost() ? Main.FAILED : status.shellStatus();
    }

    static int of(UmhException failure) {
        if (failure.stage() != UmhStage.EXEC) {
            return Main.FAILED;
        }
        return failure.errno() == Errno.ENOENT.number() ? NOT_FOUND : NOT_EXECUTABLE;
    }
}
