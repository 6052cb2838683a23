// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;

/** A program that loads the library, starts one helper and ends; without an argument it does nothing. */
public final class FirstCall {
    private FirstCall() {}

    public static void main(String[] arguments) {
        if (arguments.length > 0) {
            UsermodeHelper.exec(SubprocessInfo.of(arguments[0], arguments, null), UmhWait.PROC);
        }
    }
}
