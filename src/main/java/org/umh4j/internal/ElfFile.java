// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Checks that a file is a complete ELF library of this architecture. */
final class ElfFile {
    private static final int HEADER = 64;
    private static final int MAGIC = 0x464c457f;
    private static final int CLASS_64 = 2;
    private static final int X86_64 = 62;
    private static final int AARCH64 = 183;
    private static final int LOAD = 1;

    private ElfFile() {}

    /** Throws an IOException if the file is not a library of this architecture, or is truncated. */
    static void requireWhole(Path path, String architecture) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            ByteBuffer header = read(file, path, 0, HEADER);
            if (header.getInt(0) != MAGIC || header.get(4) != CLASS_64) {
                throw new IOException(path + " is not a 64-bit ELF library");
            }
            int elfMachine = header.getShort(18);
            int wanted = architecture.equals("amd64") ? X86_64 : architecture.equals("aarch64") ? AARCH64 : elfMachine;
            if (elfMachine != wanted) {
                throw new IOException(path + " is for another architecture than " + architecture);
            }
            int size = Short.toUnsignedInt(header.getShort(54));
            int count = Short.toUnsignedInt(header.getShort(56));
            ByteBuffer segments = read(file, path, header.getLong(32), size * count);
            for (int at = 0; size >= 56 && at < size * count; at += size) {
                boolean loaded = segments.getInt(at) == LOAD;
                if (loaded && segments.getLong(at + 8) + segments.getLong(at + 32) > file.length()) {
                    throw truncated(path);
                }
            }
        }
    }

    private static ByteBuffer read(RandomAccessFile file, Path path, long position, int size) throws IOException {
        if (position < 0 || position + size > file.length()) {
            throw truncated(path);
        }
        byte[] bytes = new byte[size];
        file.seek(position);
        file.readFully(bytes);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static IOException truncated(Path path) {
        return new IOException(path + " is truncated");
    }
}
