/** One training run from its data and teacher to a trained student, without Kafka and without leases. */
package dev.distillery.trainer.run;
