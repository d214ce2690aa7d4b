/**
 * The trainer service: {@code datasets-encoded} in, {@code checkpoints} and {@code run-events} out.
 *
 * <p>A listener only puts a run in the queue; {@link dev.distillery.trainer.TrainerLoop} takes runs from it by lease, so
 * that no Kafka record is held for the hours that a run takes. The training itself is
 * {@link dev.distillery.trainer.run.TrainingRun}, which knows neither Kafka nor leases.
 */
package dev.distillery.trainer;
