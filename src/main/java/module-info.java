// SPDX-License-Identifier: Apache-2.0

/**
 * The Linux kernel's usermode helper, for the JVM.
 *
 * <p>JavaCPP makes the native glue when this module is built; none of its classes is needed when it runs. The command
 * line needs picocli and Jackson's streaming core; the library does not.
 */
module org.umh4j {
    requires static jdk.jfr;
    requires static org.bytedeco.javacpp;
    requires static org.jspecify;
    requires static info.picocli;
    requires static com.fasterxml.jackson.core;

    exports org.umh4j;
    exports org.umh4j.linux;
    exports org.umh4j.task;

    opens org.umh4j.cli to
            info.picocli;
}
