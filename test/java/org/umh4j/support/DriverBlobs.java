// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.umh4j.UsermodeDriver;
import org.umh4j.internal.LibraryFile;

/** Programs to be drivers. */
public final class DriverBlobs {
    /** The longest time of any step on a busy host. */
    public static final long PATIENCE_SECONDS = 20;

    private static final byte[] PROBE = LibraryFile.resource("probe.elf");

    private DriverBlobs() {}

    /** The probe, whose arguments are its actions. */
    public static byte[] probe() {
        return PROBE.clone();
    }

    /** A driver that is the probe with these actions. */
    public static UsermodeDriver doing(String... actions) {
        try {
            return UsermodeDriver.load("probe", PROBE).arguments(actions);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A shell script. */
    public static byte[] script(String... lines) {
        return ("#!/bin/sh\n" + String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** Whether the process soon ends, or is a zombie of another parent. */
    public static boolean ends(long pid) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() < deadline) {
            String state = state(pid);
            if (state.isEmpty() || state.equals("Z")) {
                return true;
            }
            Thread.sleep(5);
        }
        return false;
    }

    /** The letter that {@code /proc} has for the process; empty when there is none. */
    public static String state(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[0];
        } catch (IOException e) {
            return "";
        }
    }
}
