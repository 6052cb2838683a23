// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.List;
import java.util.stream.Stream;
import org.umh4j.linux.CapabilitySet;

/** Capability sets: a list such as {@code cap_chown,cap_kill}, {@code all}, {@code none}, or hexadecimal. */
final class CapabilitySetConverter extends ValueConverter<CapabilitySet> {
    @Override
    CapabilitySet parse(String text) {
        return CapabilitySet.parse(text);
    }

    @Override
    List<String> candidates() {
        return Stream.concat(Stream.of("all", "none"), CapabilitySet.all().names().stream())
                .toList();
    }
}
