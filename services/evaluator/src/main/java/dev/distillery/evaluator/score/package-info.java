/** Scores of a student beside its teacher, in parts that add up; no Kafka, and no store. */
package dev.distillery.evaluator.score;
