// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;

/** The framing of replies, for any bytes of a driver and any division into pieces. */
final class MailboxPropertiesTest {
    private static final int LIMIT = 40;

    /** Replies to requests that there are and that there are not, too long ones, and bytes that are none. */
    @Provide
    Arbitrary<byte[]> pieces() {
        Arbitrary<byte[]> content = Arbitraries.bytes().array(byte[].class).ofMaxSize(LIMIT);
        Arbitrary<Integer> numbers = Arbitraries.integers().between(0, 4);
        Arbitrary<byte[]> reply = Combinators.combine(numbers, content).as(MailboxPropertiesTest::reply);
        Arbitrary<byte[]> tooLong =
                Arbitraries.integers().between(LIMIT + 1, LIMIT + 3).map(size -> reply(1, new byte[size]));
        Arbitrary<byte[]> header = Arbitraries.integers().map(MailboxPropertiesTest::header);
        Arbitrary<byte[]> any = Arbitraries.bytes().array(byte[].class).ofMaxSize(20);
        return Arbitraries.frequencyOf(Tuple.of(8, reply), Tuple.of(1, tooLong), Tuple.of(1, header), Tuple.of(1, any));
    }

    private static byte[] header(int length) {
        return ByteBuffer.allocate(Mailbox.HEADER_BYTES)
                .putInt(length)
                .putInt(1)
                .array();
    }

    private static byte[] reply(int number, byte[] content) {
        ByteBuffer reply = ByteBuffer.allocate(Mailbox.HEADER_BYTES + content.length);
        return reply.putInt(content.length).putInt(number).put(content).array();
    }

    @Property(tries = 60)
    void requestGetsTheFirstReplyOfItsNumberOrFails(
            @ForAll @Size(max = 6) List<@From("pieces") byte[]> pieces,
            @ForAll @IntRange(max = 3) int requests,
            @ForAll @IntRange(min = 1, max = 30) int cut)
            throws Exception {
        byte[] sent = concatenated(pieces);
        Map<Integer, byte[]> expected = firstReplies(sent);
        List<CompletableFuture<byte[]>> replies = new ArrayList<>();
        try (Helper driver = driver(requests, sent, cut);
                Mailbox mailbox = Mailbox.of(driver.writer(0), driver.reader(1), LIMIT)) {
            for (int i = 0; i < requests; i++) {
                replies.add(mailbox.requestAsync(new byte[] {(byte) i}));
            }
            for (int i = 0; i < requests; i++) {
                assertReply(expected.get(i + 1), replies.get(i));
            }
        }
    }

    private static byte[] concatenated(List<byte[]> pieces) {
        ByteBuffer all = ByteBuffer.allocate(
                pieces.stream().mapToInt(piece -> piece.length).sum());
        pieces.forEach(all::put);
        return all.array();
    }

    /** The rule, written down once more: until something is too long, or the end. */
    private static Map<Integer, byte[]> firstReplies(byte[] sent) {
        Map<Integer, byte[]> replies = new HashMap<>();
        ByteBuffer left = ByteBuffer.wrap(sent);
        while (left.remaining() >= Mailbox.HEADER_BYTES) {
            int length = left.getInt();
            int number = left.getInt();
            if (length < 0 || length > LIMIT || length > left.remaining()) {
                break;
            }
            byte[] content = new byte[length];
            left.get(content);
            replies.putIfAbsent(number, content);
        }
        return replies;
    }

    /** Reads the requests, then sends these bytes, so many at a time. */
    private static Helper driver(int requests, byte[] sent, int cut) throws IOException {
        Path file = Files.write(ProbeProgram.FOLDER.resolve("sent"), sent);
        int size = requests * (Mailbox.HEADER_BYTES + 1);
        String script = "head -c " + size + " >/dev/null; dd bs=" + cut + " status=none if=" + file;
        SubprocessInfo info =
                SubprocessInfo.of("/bin/sh", new String[] {"sh", "-c", script}, UsermodeHelper.kernelEnvironment());
        return UsermodeHelper.start(info.task(info.task()
                .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1).inherit(2, 2))));
    }

    private static void assertReply(byte[] expected, CompletableFuture<byte[]> reply) throws Exception {
        if (expected != null) {
            assertArrayEquals(expected, reply.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
            return;
        }
        ExecutionException failure =
                assertThrows(ExecutionException.class, () -> reply.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
        assertTrue(failure.getCause() instanceof IOException, failure.toString());
    }
}
