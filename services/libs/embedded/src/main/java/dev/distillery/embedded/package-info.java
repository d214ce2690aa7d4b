/**
 * An Apache Kafka broker and an S3 server inside the JVM, both persistent in a folder: for the standalone, and for tests on the real
 * protocols without Docker. Starting both takes some seconds once per JVM (class loading), then under one.
 *
 * <p>A plain test starts {@link dev.distillery.embedded.EmbeddedKafka} or {@link dev.distillery.embedded.EmbeddedS3} on a
 * {@code @TempDir}. A {@code @QuarkusTest} of a service starts both before the application, with a resource manager of its own (this
 * module stays free of Quarkus):
 *
 * <pre>{@code
 * public final class EmbeddedPlatform implements QuarkusTestResourceLifecycleManager {
 *     private Embedded embedded;
 *
 *     public Map<String, String> start() {
 *         embedded = Embedded.startTemporary();
 *         embedded.kafka().createTopics(4, "distillery.train-requests", "distillery.run-events");
 *         return embedded.settings();      // kafka.bootstrap.servers, distillery.store.*
 *     }
 *
 *     public void stop() {
 *         embedded.close();
 *     }
 * }
 * }</pre>
 *
 * and {@code @QuarkusTestResource(EmbeddedPlatform.class)} at the test class.
 */
package dev.distillery.embedded;
