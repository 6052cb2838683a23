// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousChannelGroup;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/**
 * The descriptor of a JDK channel or stream becomes one of the helper, and bytes that the helper writes there arrive.
 */
@ExtendWith(Leaks.class)
final class ChannelDescriptorsTest {
    private static final String WORD = "word";
    private static final Path FILE = ProbeProgram.FOLDER.resolve("channel");

    private static void write(Descriptors files) {
        SubprocessInfo info =
                ProbeProgram.doing("print", WORD).task(Task.defaults().descriptors(files));
        assertEquals(
                0, UsermodeHelper.exec(info, UmhWait.PROC), () -> info.failure().toString());
    }

    private static void write(Channel channel) {
        write(Descriptors.none().inherit(1, channel));
    }

    private static String read(ReadableByteChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(64);
        channel.read(bytes);
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII).trim();
    }

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Test
    void channelOfAPipeIsInherited() throws IOException {
        Pipe pipe = Pipe.open();
        try (Pipe.SinkChannel sink = pipe.sink();
                Pipe.SourceChannel source = pipe.source()) {
            write(sink);
            assertEquals(WORD, read(source));
        }
    }

    @Test
    void channelOfASocketIsInherited() throws IOException {
        Path path = ProbeProgram.FOLDER.resolve("socket");
        try (ServerSocketChannel inet = ServerSocketChannel.open().bind(anyPort());
                ServerSocketChannel unix =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path))) {
            for (ServerSocketChannel server : new ServerSocketChannel[] {inet, unix}) {
                try (SocketChannel here = SocketChannel.open(server.getLocalAddress());
                        SocketChannel there = server.accept()) {
                    write(here);
                    assertEquals(WORD, read(there));
                }
            }
        } finally {
            Files.deleteIfExists(path);
        }
    }

    @Test
    void channelOfAnAsynchronousSocketIsInherited() throws Exception {
        AsynchronousChannelGroup group =
                AsynchronousChannelGroup.withFixedThreadPool(1, Executors.defaultThreadFactory());
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(anyPort());
                AsynchronousSocketChannel here = AsynchronousSocketChannel.open(group)) {
            here.connect(server.getLocalAddress()).get();
            try (SocketChannel there = server.accept()) {
                write(here);
                assertEquals(WORD, read(there));
            }
        } finally {
            group.shutdownNow();
            group.awaitTermination(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Test
    void channelOfADatagramSocketIsInherited() throws IOException {
        try (DatagramChannel here =
                        DatagramChannel.open(StandardProtocolFamily.INET).bind(anyPort());
                DatagramChannel there =
                        DatagramChannel.open(StandardProtocolFamily.INET).connect(here.getLocalAddress())) {
            here.connect(there.getLocalAddress());
            write(there);
            assertEquals(WORD, read(here));
        }
    }

    @Test
    void channelOfAFileIsInherited() throws IOException {
        try (FileOutputStream stream = new FileOutputStream(FILE.toFile())) {
            write(Descriptors.none().inherit(1, stream.getFD()));
            assertEquals(WORD, Files.readString(FILE).trim());
            write(stream.getChannel());
            assertEquals(WORD + WORD, Files.readString(FILE).replaceAll("\\s", ""));
        }
        try (AsynchronousFileChannel channel = AsynchronousFileChannel.open(FILE, WRITE, CREATE)) {
            Files.writeString(FILE, "");
            write(channel);
            assertEquals(WORD, Files.readString(FILE).trim());
        }
    }

    /** Its number is another file's by then. */
    @Test
    void closedChannelFailsWithEbadf() throws IOException {
        Pipe pipe = Pipe.open();
        pipe.sink().close();
        pipe.source().close();
        List<FileInputStream> others = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            others.add(new FileInputStream("/dev/null"));
        }
        SubprocessInfo info = ProbeProgram.doing("exit", "0")
                .task(Task.defaults().descriptors(Descriptors.none().inherit(1, pipe.sink())));
        assertEquals(-Errno.EBADF.number(), UsermodeHelper.exec(info, UmhWait.PROC));
        assertEquals(UmhStage.SOURCE, info.failure().orElseThrow().stage());
        for (FileInputStream other : others) {
            other.close();
        }
    }
}
