// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/** What {@code setrlimit(2)} limits, in the order of the kernel's numbers. */
public enum Resource {
    /** Seconds of cpu time. */
    CPU,
    /** Bytes of a file. */
    FSIZE,
    /** Bytes of data segment, heap and private mappings. */
    DATA,
    /** Bytes of stack; a quarter of it bounds arguments and environment. */
    STACK,
    /** Bytes of a core dump. */
    CORE,
    /** Without effect since 2.4.30. */
    RSS,
    /** Processes and threads of the user. */
    NPROC,
    /** One more than the highest descriptor. */
    NOFILE,
    /** Bytes locked in memory. */
    MEMLOCK,
    /** Bytes of address space. */
    AS,
    /** Without effect since 2.4.25. */
    LOCKS,
    /** Queued signals of the user. */
    SIGPENDING,
    /** Bytes in POSIX message queues of the user. */
    MSGQUEUE,
    /** 20 minus the lowest nice value. */
    NICE,
    /** The highest real-time priority. */
    RTPRIO,
    /** Microseconds of real-time cpu time without a blocking call. */
    RTTIME;

    /** No limit. */
    public static final long INFINITY = -1;
}
