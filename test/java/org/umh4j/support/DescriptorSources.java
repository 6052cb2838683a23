// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Where a helper's descriptors can come from, each with what it refers to. */
public final class DescriptorSources implements AutoCloseable {
    /** Which ones. */
    public enum Kind {
        /** Five files, each given in another way. */
        EACH_WAY,
        /** The lowest five of the JVM's own numbers. */
        OWN_NUMBERS
    }

    private record Source(
            String link, BiFunction<org.umh4j.task.Descriptors, Integer, org.umh4j.task.Descriptors> giver) {}

    private final List<Source> sources = new ArrayList<>();
    private final List<Closeable> open = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();

    public DescriptorSources(Kind kind) throws IOException {
        if (kind == Kind.EACH_WAY) {
            eachWay();
        } else {
            OpenDescriptors.own().entrySet().stream()
                    .filter(own ->
                            !own.getValue().contains("umh4j") && !own.getValue().startsWith("socket:"))
                    .limit(5)
                    .forEach(own -> add(own.getValue(), (to, target) -> to.inherit(target, own.getKey())));
        }
    }

    private void eachWay() throws IOException {
        FileChannel channel = opened(FileChannel.open(file("channel")));
        RandomAccessFile random = opened(new RandomAccessFile(file("random").toFile(), "rw"));
        opened(new FileInputStream(file("stream").toFile()));
        var descriptor = random.getFD();
        int number = OpenDescriptors.numberOf(files.get(2));
        String path = file("opened").toString();
        add(files.get(0).toString(), (to, target) -> to.inherit(target, channel));
        add(files.get(1).toString(), (to, target) -> to.inherit(target, descriptor));
        add(files.get(2).toString(), (to, target) -> to.inherit(target, number));
        add(path, (to, target) -> to.open(target, path));
        add("/dev/null", org.umh4j.task.Descriptors::devNull);
    }

    private void add(String link, BiFunction<org.umh4j.task.Descriptors, Integer, org.umh4j.task.Descriptors> giver) {
        sources.add(new Source(link, giver));
    }

    private <T extends Closeable> T opened(T object) {
        open.add(object);
        return object;
    }

    private Path file(String name) throws IOException {
        Path file = Files.createTempFile(ProbeProgram.FOLDER, name, "");
        files.add(file);
        return file;
    }

    public int size() {
        return sources.size();
    }

    /** The target of the source in {@code /proc/PID/fd}. */
    public String link(int source) {
        return sources.get(source).link;
    }

    /** These files, and this source as the helper's descriptor. */
    public org.umh4j.task.Descriptors give(org.umh4j.task.Descriptors to, int target, int source) {
        return sources.get(source).giver.apply(to, target);
    }

    @Override
    public void close() throws IOException {
        for (Closeable object : open) {
            object.close();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }
}
