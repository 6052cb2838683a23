// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.lang.reflect.Method;
import java.util.concurrent.ThreadFactory;

/** Makes virtual threads on JVMs that have them, while the tests are compiled for 17. */
public final class VirtualThread {
    private VirtualThread() {}

    /** Whether this JVM has virtual threads (21 and up). */
    public static boolean exists() {
        return Runtime.version().feature() >= 21;
    }

    /** A JVM in which all virtual threads together have one carrier, and never get another one. */
    public static Jvm oneCarrier() {
        return new Jvm()
                .option("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1");
    }

    public static ThreadFactory factory() throws ReflectiveOperationException {
        Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
        Method factory = Class.forName("java.lang.Thread$Builder").getMethod("factory");
        return (ThreadFactory) factory.invoke(builder);
    }
}
