// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;

/**
 * A helper that could not be started: the stage at which it failed, and the errno that the kernel gave there.
 *
 * <p>The message names the program, the stage and the error, and says what to look at. Nothing of the attempt is left:
 * no process, no descriptor.
 */
public class UmhException extends IOException {
    private static final long serialVersionUID = 1;

    /** The stage. */
    private final UmhStage stage;

    /** What exec() returns: the negative errno, or whatever init refused with. */
    private final int retval;

    /** Which one of several. */
    private final int detail;

    UmhException(@Nullable String path, UmhStage stage, int retval, int detail) {
        this(path, stage, retval, detail, null);
    }

    /** With the name of the file that could not be opened. */
    UmhException(@Nullable String path, UmhStage stage, int retval, int detail, @Nullable String object) {
        super(message(path, stage, retval, detail, object));
        this.stage = stage;
        this.retval = retval;
        this.detail = detail;
    }

    /** Has everything loaded that a later failure needs. */
    static void load() {
        message(null, UmhStage.EXEC, -Errno.ENOENT.number(), 0, null);
    }

    /** Where it failed. */
    public UmhStage stage() {
        return stage;
    }

    /** The positive errno of that stage; 0 when an init function refused with a number that is not an errno. */
    public int errno() {
        return Math.max(-retval, 0);
    }

    /** The errno's name, such as {@code ENOENT}. */
    public String errnoName() {
        return Errno.name(errno());
    }

    /** What {@link UsermodeHelper#exec} returns for the same failure: the negative errno, but for odd init functions. */
    public int retval() {
        return retval;
    }

    /** Which descriptor, resource, capability or signal it was, where the stage has several; else 0. */
    public int detail() {
        return detail;
    }

    private static String message(
            @Nullable String path, UmhStage stage, int retval, int detail, @Nullable String object) {
        StringBuilder message = new StringBuilder();
        message.append(path == null ? "(no path)" : path).append(": ").append(stage);
        message.append(ErrorHints.detail(stage, detail))
                .append(object == null ? "" : " (" + object + ")")
                .append(" failed with ");
        if (retval < 0) {
            Errno errno = Errno.of(-retval);
            message.append(Errno.name(-retval)).append(errno == null ? "" : " (" + errno.text() + ")");
        } else {
            message.append(retval);
        }
        String advice = ErrorHints.of(stage, -retval);
        return message.append(advice.isEmpty() ? "" : ": " + advice).toString();
    }
}
