// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.concurrent.ThreadFactory;

/** Threads of one kind; virtual ones where this JVM has them, which it is compiled without. */
final class Threads {
    /** A function that may throw. */
    interface Task {
        void run() throws Exception;
    }

    private final ThreadFactory factory;

    private Threads(ThreadFactory factory) {
        this.factory = factory;
    }

    static Threads platform() {
        return new Threads(Thread::new);
    }

    static boolean hasVirtual() {
        return Runtime.version().feature() >= 21;
    }

    static Threads virtual() throws ReflectiveOperationException {
        Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
        return new Threads((ThreadFactory)
                Class.forName("java.lang.Thread$Builder").getMethod("factory").invoke(builder));
    }

    Thread start(Task task) {
        Thread thread = factory.newThread(() -> {
            try {
                task.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        thread.start();
        return thread;
    }
}
