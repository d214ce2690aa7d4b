package dev.distillery.dataingest.shard;

/**
 * A pair that was left out.
 *
 * @param source where it stands
 * @param reason one of few, to be counted
 * @param detail what exactly; empty if there is no more to say
 */
public record Skipped(String source, String reason, String detail) {}
