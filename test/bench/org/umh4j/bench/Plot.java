// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Bars of medians with a line up to the 99th percentile, on a logarithmic axis; one block for each place. */
final class Plot {
    private static final int WIDTH = 760;
    private static final int LEFT = 170;
    private static final int RIGHT = 30;
    private static final int BAR = 14;
    private static final int GAP = 22;
    private static final int TOP = 40;
    private static final List<String> COLOURS =
            List.of("#8a8f98", "#b9bec6", "#1f6feb", "#58a6ff", "#d0d7de", "#d29922", "#a371f7", "#3fb950");

    private final String title;
    private final Map<String, Map<String, Row>> cells;
    private final StringBuilder svg = new StringBuilder();
    private double low = Double.MAX_VALUE;
    private double high;

    Plot(String title, Map<String, Map<String, Row>> cells) {
        this.title = title;
        this.cells = cells;
        cells.values()
                .forEach(row -> row.values().forEach(cell -> {
                    low = Math.min(low, cell.percentile(50));
                    high = Math.max(high, cell.percentile(99));
                }));
        low = Math.pow(10, Math.floor(Math.log10(low)));
        high *= 1.1;
    }

    String svg() {
        List<String> places = List.copyOf(cells.values().iterator().next().keySet());
        int height = TOP + places.size() * (cells.size() * BAR + GAP) + 30;
        svg.append(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
                        + "font-size=\"11\">%n",
                WIDTH, height));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        text(LEFT, 18, "start", title + (unit().equals("us") ? " (µs)" : " (" + unit() + ")"));
        axis(height);
        int y = TOP;
        for (String place : places) {
            text(8, y + BAR - 3, "start", place);
            int colour = 0;
            for (Map.Entry<String, Map<String, Row>> row : cells.entrySet()) {
                bar(y, row.getKey(), row.getValue().get(place), COLOURS.get(colour++ % COLOURS.size()));
                y += BAR;
            }
            y += GAP;
        }
        return svg.append("</svg>\n").toString();
    }

    private String unit() {
        return cells.values().iterator().next().values().iterator().next().unit();
    }

    private void axis(int height) {
        for (double tick = low; tick <= high; tick *= 10) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#ddd\"/>%n",
                    x(tick),
                    x(tick),
                    TOP - 8,
                    height - 22));
            text(x(tick), height - 8, "middle", String.format(Locale.ROOT, "%,.0f", tick));
        }
    }

    private void bar(int y, String name, Row row, String colour) {
        if (row == null) {
            return;
        }
        double middle = x(row.percentile(50));
        text(LEFT - 6, y + BAR - 4, "end", name);
        svg.append(String.format(
                Locale.ROOT,
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
                LEFT,
                y + 1,
                middle - LEFT,
                BAR - 3,
                colour));
        svg.append(String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#444\"/>%n",
                middle,
                x(row.percentile(99)),
                y + BAR / 2,
                y + BAR / 2));
    }

    private void text(double x, double y, String anchor, String words) {
        svg.append(String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, words));
    }

    private double x(double value) {
        return LEFT + (WIDTH - LEFT - RIGHT) * Math.log(value / low) / Math.log(high / low);
    }
}
