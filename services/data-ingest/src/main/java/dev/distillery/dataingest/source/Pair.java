package dev.distillery.dataingest.source;

/**
 * What stands at one position of a source; it may turn out to be unusable.
 *
 * @param where for people: file and row
 * @param image the image file's bytes; null if there are none
 * @param caption null if there is none
 */
public record Pair(String where, byte[] image, String caption) {}
