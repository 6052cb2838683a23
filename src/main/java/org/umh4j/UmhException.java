// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;

/**
 * Thrown when a helper could not be started, a driver's program could not be loaded, or a signal could not be sent.
 * It has the {@link #stage} that failed and the {@link #errno} that the kernel returned there.
 *
 * <p>The message has the program, the stage, the object that failed (a descriptor, a file, a limit) if there is one,
 * the errno, and for common errors a hint at the remedy. {@code docs/errors.md} lists every stage and its errnos. No
 * process and no descriptor of a failed start remains.
 */
public class UmhException extends IOException {
    private static final long serialVersionUID = 1;

    /** The stage that failed. */
    private final UmhStage stage;

    /** The result of exec(): the negative errno, or the number of an {@link InitException}. */
    private final int retval;

    /** The number of the descriptor, limit, capability or signal that failed, else 0. */
    private final int detail;

    UmhException(@Nullable String path, UmhStage stage, int retval, int detail) {
        this(path, stage, retval, detail, null);
    }

    /**
     * Creates an exception.
     *
     * @param object the name of the file that could not be opened, if it was one
     */
    UmhException(@Nullable String path, UmhStage stage, int retval, int detail, @Nullable String object) {
        super(message(path, stage, retval, detail, object));
        this.stage = stage;
        this.retval = retval;
        this.detail = detail;
    }

    /** Loads all classes that a later failure needs. */
    static void load() {
        message(null, UmhStage.EXEC, -Errno.ENOENT.number(), 0, null);
    }

    /** Returns the stage that failed. */
    public UmhStage stage() {
        return stage;
    }

    /** Returns the positive errno; 0 if an init function refused the call with a positive number. */
    public int errno() {
        return Math.max(-retval, 0);
    }

    /** Returns the name of the errno, such as {@code ENOENT}. */
    public String errnoName() {
        return Errno.name(errno());
    }

    /**
     * Returns the result of {@link UsermodeHelper#exec} for the same failure: the negative errno, or the number of an
     * {@link InitException}.
     */
    public int retval() {
        return retval;
    }

    /**
     * Returns the number of the object that failed: a descriptor, resource limit, capability or signal, or the index of
     * a joined namespace or landlock rule. The constants of {@link UmhStage} name it; 0 for other stages.
     */
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
        String hint = ErrorHints.of(stage, -retval);
        return message.append(hint.isEmpty() ? "" : ": " + hint).toString();
    }
}
