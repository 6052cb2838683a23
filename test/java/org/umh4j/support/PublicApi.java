// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.umh4j.UsermodeHelper;

/** The public types of the exported packages, found in the directory of classes. None is initialized. */
public final class PublicApi {
    private static final List<String> PACKAGES = List.of("org.umh4j", "org.umh4j.linux", "org.umh4j.task");

    private PublicApi() {}

    public static List<Class<?>> types() throws Exception {
        Path classes = Path.of(UsermodeHelper.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        List<Class<?>> types = new ArrayList<>();
        for (String name : PACKAGES) {
            for (String file : names(classes.resolve(name.replace('.', '/')))) {
                Class<?> type = Class.forName(name + "." + file, false, PublicApi.class.getClassLoader());
                if (isPublic(type)) {
                    types.add(type);
                }
            }
        }
        return types;
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.contains("-info"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .toList();
        }
    }

    /** PlanWriter is public for org.umh4j alone: its parameters are of a package that is not exported. */
    private static boolean isPublic(Class<?> type) {
        Class<?> around = type.getEnclosingClass();
        boolean reached = around == null || Modifier.isPublic(around.getModifiers());
        return Modifier.isPublic(type.getModifiers())
                && reached
                && !type.isAnonymousClass()
                && !type.getSimpleName().equals("PlanWriter");
    }
}
