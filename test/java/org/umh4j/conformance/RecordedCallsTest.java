// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.support.Leaks;

/**
 * Every recorded call of {@code call_usermodehelper_exec()} made again: the same result, init and cleanup in the same
 * order, cleanup seeing the same retval, as many helpers run.
 */
@ExtendWith(Leaks.class)
final class RecordedCallsTest {
    private static CallReplay replay;

    static Stream<Call> calls() throws IOException {
        List<Call> calls = new ArrayList<>();
        for (String kernel : Recordings.KERNELS) {
            calls.addAll(Recordings.calls(kernel));
        }
        return calls.stream().filter(Call::isCall);
    }

    @BeforeAll
    static void programsOfEachKind() throws IOException {
        replay = new CallReplay();
    }

    @ParameterizedTest
    @MethodSource("calls")
    void callHasTheRecordedResult(Call call) throws IOException, InterruptedException {
        assertEquals(CallReplay.Result.expected(call), replay.result(call));
    }
}
