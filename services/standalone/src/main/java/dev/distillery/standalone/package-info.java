/**
 * The command {@code distillery}: all services in one JVM on an embedded Kafka broker and S3 store, and two tools (one drawing, one
 * distillation step) that need neither. Arguments are understood before anything is started.
 */
package dev.distillery.standalone;
