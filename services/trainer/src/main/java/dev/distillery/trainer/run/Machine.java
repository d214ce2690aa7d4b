package dev.distillery.trainer.run;

import java.time.Duration;
import java.util.List;

import ai.djl.Device;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/**
 * What a trainer has for a run.
 *
 * @param devices over which each batch is split
 * @param memory what a run may use of each of them
 * @param diskPatience how long a write to its disk is tried again
 */
public record Machine(List<Device> devices, DeviceMemory memory, Duration diskPatience) {}
