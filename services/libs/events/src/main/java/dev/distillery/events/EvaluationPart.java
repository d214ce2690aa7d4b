package dev.distillery.events;

/** A range of an evaluation's images is to be drawn and looked at; {@code name} is the evaluation's. */
public record EvaluationPart(String run, String name, int part, int parts) implements Event {
    public EvaluationPart {
        Counts.require("parts", parts, 1, Counts.MOST_PARTS);
        Counts.require("part", part, 0, parts - 1L);
    }
}
