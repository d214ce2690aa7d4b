package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.diffusion.distill.NetworkSizes;

/**
 * A size of both networks, for people.
 *
 * @param portion the student's of the teacher's
 */
public record SizeRow(String name, String teacher, String student, String portion) {

    private interface Format {
        String of(double value);
    }

    /**
     * Parameters, operations by both conventions, bytes, and time.
     *
     * @param latency of a pass as the trainer measured it; missing where it did not
     */
    static List<SizeRow> of(NetworkSizes teacher, NetworkSizes student, JsonNode latency) {
        List<SizeRow> rows = new ArrayList<>();
        rows.add(row("parameters", teacher.parameters(), student.parameters(), n -> Numbers.count((long) n)));
        rows.add(row(
                "MACs a step, with attention's products", teacher.macs(), student.macs(), n -> Numbers.giga((long) n)));
        rows.add(row(
                "MACs a step, without them", teacher.layerMacs(), student.layerMacs(), n -> Numbers.giga((long) n)));
        teacher.bytes()
                .forEach((type, bytes) -> rows.add(row(
                        "weights in " + (type.equals("fp16") ? "fp16 or bf16" : type),
                        bytes,
                        student.bytes().get(type),
                        n -> Numbers.bytes((long) n))));
        if (latency.isObject()) {
            rows.add(row(
                    "time of a pass in " + latency.path("precision").asText() + " ("
                            + latency.path("machine").asText() + ")",
                    latency.path("teacherSeconds").asDouble(),
                    latency.path("studentSeconds").asDouble(),
                    Numbers::seconds));
        }
        return rows;
    }

    private static SizeRow row(String name, double teacher, double student, Format format) {
        return new SizeRow(name, format.of(teacher), format.of(student), Numbers.percent(student / teacher));
    }
}
