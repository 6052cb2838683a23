// SPDX-License-Identifier: Apache-2.0
package consumer;

import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;

/** Runs one helper and exits with what it exited with. */
public final class Main {
    private Main() {}

    /** {@code consumer PATH [ARG...]}. */
    public static void main(String[] arguments) {
        int retval = UsermodeHelper.exec(SubprocessInfo.of(arguments[0], arguments, null), UmhWait.PROC);
        System.out.println(retval);
    }
}
