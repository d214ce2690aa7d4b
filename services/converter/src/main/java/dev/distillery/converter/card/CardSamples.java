package dev.distillery.converter.card;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.converter.report.RunRecord;

/** The pictures of a card: what the teacher drew, and what the student drew last with the weights that are converted. */
final class CardSamples {
    private static final String TEACHER = "teacher";
    private static final String AVERAGED = "-ema";

    private CardSamples() {}

    /** The folder of the last epoch that had ended at the model's step; none if there was none. */
    static List<String> folder(Converted model, List<String> folders, List<JsonNode> metrics) {
        int ended = endedEpochs(model.step(), metrics);
        return folders.stream()
                .filter(name -> name.endsWith(AVERAGED) == model.weights().equals("ema"))
                .filter(name -> epoch(name) <= ended)
                .reduce((earlier, later) -> later)
                .stream()
                .toList();
    }

    private static int epoch(String folder) {
        return Integer.parseInt("0" + folder.replaceAll("\\D", ""));
    }

    /** An epoch has ended if there is no later step of it. */
    private static int endedEpochs(long step, List<JsonNode> metrics) {
        int at = metrics.stream()
                .filter(line -> line.path("step").asLong() <= step)
                .mapToInt(line -> line.path("epoch").asInt())
                .max()
                .orElse(0);
        boolean goesOn = metrics.stream()
                .anyMatch(line ->
                        line.path("step").asLong() > step && line.path("epoch").asInt() == at);
        return goesOn ? at - 1 : at;
    }

    /** Copies the pictures beside the card; a row for each prompt that both drew. */
    static List<Card.Sample> write(RunRecord record, PrefixWriter writer) {
        List<Card.Sample> rows = new ArrayList<>();
        NavigableMap<Integer, byte[]> none = new TreeMap<>();
        NavigableMap<Integer, byte[]> teacher = record.samples().getOrDefault(TEACHER, none);
        NavigableMap<Integer, byte[]> student = record.samples().entrySet().stream()
                .filter(folder -> !folder.getKey().equals(TEACHER))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(none);
        List<String> prompts = record.prompts();
        for (int i = 0; i < prompts.size(); i++) {
            if (teacher.containsKey(i) && student.containsKey(i)) {
                rows.add(new Card.Sample(
                        prompts.get(i),
                        picture(writer, TEACHER, i, teacher.get(i)),
                        picture(writer, "student", i, student.get(i))));
            }
        }
        return rows;
    }

    private static String picture(PrefixWriter writer, String of, int index, byte[] png) {
        String name = String.format("images/%s-%02d.png", of, index);
        writer.add(name, png);
        return name;
    }
}
