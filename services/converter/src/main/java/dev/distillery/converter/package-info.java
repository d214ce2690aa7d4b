/**
 * The converter service: {@code checkpoints} and {@code convert-requests} in, {@code models-converted} and
 * {@code run-events} out. It turns a student's checkpoint into the folder that diffusers loads, and writes the run's
 * report.
 */
package dev.distillery.converter;
